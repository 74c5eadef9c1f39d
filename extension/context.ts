import type { EventEmitter, ExtensionContext, LogOutputChannel } from 'vscode';
import type { RunLogs } from './logs/runLogs.ts';
import type { Machines } from './machines/machines.ts';
import type { DaemonAt, RoutedDaemon } from './machines/routedDaemon.ts';
import type { MetricsPanels } from './metrics/metricsPanels.ts';
import type { ReportPanels } from './report/reportPanels.ts';
import type { Reports } from './reports.ts';
import type { RunStore } from './runs/runStore.ts';
import type { RunsView } from './runs/runsView.ts';

/** The objects that commands use. Made once, at activation. */
export interface Context {
  readonly extension: ExtensionContext;
  readonly output: LogOutputChannel;
  /** The daemon of this machine; requests about runs of others go to theirs. */
  readonly daemon: RoutedDaemon;
  readonly machines: Machines;
  readonly store: RunStore;
  readonly view: RunsView;
  readonly panels: MetricsPanels;
  readonly logs: RunLogs;
  readonly reports: Reports;
  readonly reportPanels: ReportPanels;
  /** Fires after TensorFlow was installed. */
  readonly engineChanged: EventEmitter<void>;
}

/** As `Context`, for what is done on one machine: its daemon is the one there. A `Context` is that of this machine. */
export interface ContextAt extends Omit<Context, 'daemon'> {
  readonly daemon: DaemonAt;
}

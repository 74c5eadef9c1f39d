import {
  type Disposable,
  EventEmitter,
  type ExtensionContext,
  type TextDocumentContentProvider,
  Uri,
  window,
} from 'vscode';
import type { Reading } from '../protocol/viewer/page.ts';
import { localWay } from './client/localWay.ts';
import { tellOldDaemon } from './client/tellOldDaemon.ts';
import { checkpointCommands } from './commands/checkpoints.ts';
import { compareCommands } from './commands/compare.ts';
import { compareArmsCommands } from './commands/compareArms.ts';
import { compareConfigurationCommands } from './commands/compareConfigurations.ts';
import { daemonCommands } from './commands/daemon.ts';
import { engineCommands } from './commands/engine.ts';
import { evaluateCommands } from './commands/evaluate.ts';
import { exportCommands } from './commands/exports.ts';
import { finetuneCommands } from './commands/finetune.ts';
import { lookCommands } from './commands/look.ts';
import { machineCommands } from './commands/machines.ts';
import { planCommands } from './commands/plan.ts';
import { predictCommands } from './commands/predict.ts';
import { registerCommands } from './commands/register.ts';
import { runFileCommands } from './commands/runFiles.ts';
import { runCommands } from './commands/runs.ts';
import { showViewsCommands } from './commands/showViews.ts';
import { startCommands } from './commands/startPretraining.ts';
import { tryCommands } from './commands/tryDemo.ts';
import { viewCommands } from './commands/view.ts';
import { helpWithConfigs } from './configuration/configHelp.ts';
import { resolvedConfigs } from './configuration/resolvedConfigs.ts';
import { SchemaFiles } from './configuration/schemaFiles.ts';
import { newConfigurationCommands } from './configuration/wizard/newConfiguration.ts';
import type { Context } from './context.ts';
import { keepContextKeys } from './contextKeys.ts';
import { datasetCommands } from './datasets/datasetCommands.ts';
import { DatasetStore } from './datasets/datasetStore.ts';
import { DatasetsView } from './datasets/datasetsView.ts';
import { trainedWhenLastSeen } from './lastSeen.ts';
import { RunLogs } from './logs/runLogs.ts';
import { ImageThere } from './machines/imageThere.ts';
import { MachineFiles } from './machines/machineFiles.ts';
import { machineScheme } from './machines/machineScheme.ts';
import { Machines } from './machines/machines.ts';
import { type MachinesTree, MachinesView } from './machines/machinesView.ts';
import { RoutedDaemon } from './machines/routedDaemon.ts';
import { actOnRun } from './metrics/actOnRun.ts';
import { MetricsPanels } from './metrics/metricsPanels.ts';
import { ReportPanels } from './report/reportPanels.ts';
import { Reports } from './reports.ts';
import { rememberTraining } from './runs/remember.ts';
import { RunStore } from './runs/runStore.ts';
import { type RunsTree, RunsView } from './runs/runsView.ts';
import { tellEndings } from './runs/tellEndings.ts';
import { StatusBar } from './statusBar.ts';
import { ImageThread } from './viewer/imageThread.ts';
import { ViewerEditors } from './viewer/viewerEditors.ts';
import { VolumePanels } from './viewer/volumePanels.ts';

/** What the editor asks the extension for, by what its doors (main.ts) stand for. */
export interface Whole {
  readonly runs: RunsView;
  readonly dataSets: DatasetsView;
  readonly machineRows: MachinesView;
  readonly schemaFiles: SchemaFiles;
  readonly machineFiles: MachineFiles;
  readonly resolvedConfigs: TextDocumentContentProvider;
  readonly viewers: ViewerEditors;
  readonly panels: MetricsPanels;
  readonly reportPanels: ReportPanels;
  close(): Promise<void>;
}

/** The views of the side bar that show more than rows. */
export interface SideViews {
  readonly runs: RunsTree;
  readonly machines: MachinesTree;
}

/** Everything but the doors. Opened with the first use; if it throws, its subscriptions are ended, and the next use opens it anew. */
export function openWhole(extension: ExtensionContext, views: SideViews): Whole {
  /** Ends with the window, or when something after it throws. */
  const keep = <T extends Disposable>(one: T): T => {
    extension.subscriptions.push(one);
    return one;
  };
  const output = keep(window.createOutputChannel('UniMiSS', { log: true }));
  // Failures that no user action caused go to the log; the views show the state of the connection.
  const failed = (error: unknown) => output.error(error instanceof Error ? error : String(error));
  const daemon = new RoutedDaemon(localWay(extension, output), output);
  const store = keep(new RunStore(daemon, failed));
  const machines = new Machines(extension, output, store, failed);
  daemon.joinMachines(machines);
  const close = async () => {
    await Promise.all([daemon.dispose(), machines.dispose()]);
  };
  keep({ dispose: close });
  const view = keep(new RunsView(views.runs, store, daemon, failed));
  const panels = keep(new MetricsPanels(extension, daemon, failed, actOnRun));
  const logs = keep(new RunLogs(daemon, failed));
  const reports = keep(new Reports());
  const reportPanels = keep(new ReportPanels(extension, failed));
  const engineChanged = keep(new EventEmitter<void>());
  const shown = { store, view, panels, logs, reports, reportPanels };
  const ctx: Context = { extension, output, daemon, machines, ...shown, engineChanged };

  const machineRows = keep(new MachinesView(views.machines, machines, daemon, failed));
  const schemaFiles = keep(new SchemaFiles(extension, daemon));
  const machineFiles = keep(new MachineFiles(machines));
  keep(new StatusBar(daemon, store));
  keep(helpWithConfigs(daemon, failed));
  keep(keepContextKeys(ctx, failed));
  const datasets = keep(new DatasetStore(extension.workspaceState, daemon));
  const threadFile = Uri.joinPath(extension.extensionUri, 'dist', 'daemon', 'image-thread.js').fsPath;
  const dataSets = keep(new DatasetsView(datasets, threadFile));
  const readers = (uri: Uri, moved: (reading: Reading) => void) => {
    if (uri.scheme === 'file') return new ImageThread(threadFile, moved);
    return uri.scheme === machineScheme ? new ImageThere(machines.clientOf(uri.authority), uri.path, moved) : undefined;
  };
  const viewers = new ViewerEditors(extension, readers, failed);
  const volumes = keep(new VolumePanels(extension.extensionUri, failed));
  keep(tellEndings(ctx));
  keep(rememberTraining(ctx));
  keep(tellOldDaemon(ctx));
  const all = [
    ...[
      newConfigurationCommands,
      startCommands,
      tryCommands,
      planCommands,
      finetuneCommands,
      evaluateCommands,
      predictCommands,
    ],
    ...[runCommands, runFileCommands, exportCommands, lookCommands, compareCommands, compareArmsCommands],
    ...[checkpointCommands, compareConfigurationCommands, engineCommands, daemonCommands, machineCommands],
  ];
  const handlers = [
    ...[datasetCommands(datasets), viewCommands(viewers, volumes), showViewsCommands(ctx, viewers)],
    ...all.map((commandsOf) => commandsOf(ctx)),
  ];
  registerCommands(ctx, handlers);

  // Shows a run again that was active when the editor closed.
  if (trainedWhenLastSeen(extension)) daemon.connect().catch(failed);

  return {
    ...{ runs: view, dataSets, machineRows, schemaFiles, machineFiles, viewers, panels, reportPanels },
    resolvedConfigs: resolvedConfigs(ctx),
    close,
  };
}

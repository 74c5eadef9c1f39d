import type { daemonStatus } from '../../../protocol/daemon/lifecycleMessages.ts';
import type { AnswerOf } from '../../../protocol/daemon/rpc.ts';
import type { Task } from '../../runs/start/task.ts';
import type { DeviceLedger } from '../../runs/supervise/deviceLedger.ts';
import type { Supervisor } from '../../runs/supervise/supervisor.ts';
import type { MetricsServices } from '../feeds/metricsSubscription.ts';

/** The services of all handlers, shared by all clients. */
export interface Services extends MetricsServices {
  /** The kinds of runs that the daemon knows. */
  tasks: readonly Task[];
  supervisor: Supervisor;
  /** Runs and jobs ask it before they start. */
  devices: DeviceLedger;
  /** Notifies all subscribers of a change that the supervisor does not know of. */
  changed(folder?: string): void;
  /** Removes runs whose time in the trash of a folder of runs is over. */
  tidy(root: string): Promise<void>;
  status(): Promise<AnswerOf<typeof daemonStatus>>;
}

import type { NotificationType, ParamsOf } from '../../../protocol/daemon/rpc.ts';
import type { RunChange } from '../../runs/supervise/supervisor.ts';

/** Sends a notification; resolves when it has left this process. */
export type Send = <T extends NotificationType>(type: T, params: ParamsOf<T>) => Promise<void>;

/** Keeps a client up to date. */
export interface Subscription {
  /** A run has changed; without a folder: look at everything. */
  notify(folder?: string, change?: RunChange): void;
  close(): void;
}

import type { CheckedParamsOf, NotificationType } from '../../../protocol/daemon/rpc.ts';
import type { Handler } from './handler.ts';

/** A notification of clients, and what is done with it. */
export interface Listener {
  readonly type: NotificationType;
  /** `params` were checked. */
  hear(params: unknown): void;
}

export function listener<T extends NotificationType>(type: T, hear: (params: CheckedParamsOf<T>) => void): Listener {
  return { type, hear: (params) => hear(params as CheckedParamsOf<T>) };
}

/** What the daemon keeps for one client: requests and notifications beside those that are the same for all. */
export interface ClientSession {
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly listeners: ReadonlyMap<string, Listener>;
  /** The client is gone. */
  end(): void;
}

import type { AnswerOf, CheckedParamsOf, RequestType } from '../../protocol/rpc.ts';
import type { Supervisor } from '../runs/supervisor.ts';
import type { Feeds } from './feeds.ts';
import type { Send, Subscription } from './metricsSubscription.ts';
import type { RunRegistry } from './runRegistry.ts';

/** What handlers work with: one set for all clients. */
export interface Services {
  supervisor: Supervisor;
  registry: RunRegistry;
  feeds: Feeds;
  /** Tells all subscribers that something changed that the supervisor does not know of. */
  changed(folder?: string): void;
  /** Removes from the trash of a folder of runs what has been there for long. */
  tidy(root: string): Promise<void>;
  status(): AnswerOf<typeof import('../../protocol/lifecycleMessages.ts').daemonStatus>;
  /** Begins to end the daemon; returns how many runs are stopped. */
  stop(): number;
}

/** Who asked, and how to talk to them beyond the answer. */
export interface RequestContext {
  send: Send;
  /** Aborted when the client cancels the request or is gone. */
  signal: AbortSignal;
  /** Opens a subscription under a new id. */
  subscribe<S extends Subscription>(
    open: (id: string, failed: (error: unknown) => void) => Promise<S> | S,
  ): Promise<string>;
  unsubscribe(id: string): void;
}

/** A request and what is done about it. */
export interface Handler {
  type: RequestType;
  answer(params: unknown, context: RequestContext): Promise<unknown>;
}

export function handle<T extends RequestType>(
  type: T,
  answer: (params: CheckedParamsOf<T>, context: RequestContext) => Promise<AnswerOf<T>> | AnswerOf<T>,
): Handler {
  return { type, answer: async (params, context) => answer(params as CheckedParamsOf<T>, context) };
}

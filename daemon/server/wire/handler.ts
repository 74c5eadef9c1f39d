import type { AnswerOf, CheckedParamsOf, RequestType } from '../../../protocol/daemon/rpc.ts';
import type { Send, Subscription } from './subscription.ts';

/** The client of a request, and ways to reach it beyond the answer. */
export interface RequestContext {
  /** The same for all requests of a connection. */
  readonly client: object;
  send: Send;
  /** Aborted when the client cancels the request or is gone. */
  signal: AbortSignal;
  /** Opens a subscription under a new id. */
  subscribe<S extends Subscription>(
    open: (id: string, failed: (error: unknown) => void) => Promise<S> | S,
  ): Promise<string>;
  unsubscribe(id: string): void;
}

/** A request and the function that answers it. */
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

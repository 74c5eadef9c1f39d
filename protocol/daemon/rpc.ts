import { z } from 'zod';
import { UnimissError } from '../errors.ts';
import { fromWireError } from './wireError.ts';

/** A declared request: its method, params and result, with descriptions for the reference. */
export interface RequestType<P extends z.ZodType = z.ZodType, R extends z.ZodType = z.ZodType> {
  readonly kind: 'request';
  readonly method: string;
  readonly about: string;
  readonly params: P;
  readonly result: R;
  /** What to do if the connection ends before the answer. Default: what helps with any request. */
  readonly ifLost?: string;
}

/** A declared notification; `from` is its sender. */
export interface NotificationType<P extends z.ZodType = z.ZodType> {
  readonly kind: 'notification';
  readonly method: string;
  readonly about: string;
  readonly from: 'client' | 'daemon' | 'both';
  readonly params: P;
}

export type MessageType = RequestType | NotificationType;

/** What a sender passes. */
export type ParamsOf<T extends MessageType> = z.input<T['params']>;
/** What a handler receives: checked, with defaults filled in. */
export type CheckedParamsOf<T extends MessageType> = z.output<T['params']>;
/** What a handler returns. */
export type AnswerOf<T extends RequestType> = z.input<T['result']>;
/** What a caller receives. */
export type ResultOf<T extends RequestType> = z.output<T['result']>;

export function request<P extends z.ZodType, R extends z.ZodType>(
  method: string,
  about: string,
  { params, result, ifLost }: { params: P; result: R; ifLost?: string },
): RequestType<P, R> {
  return { kind: 'request', method, about, params, result, ...(ifLost !== undefined && { ifLost }) };
}

export function notification<P extends z.ZodType>(
  method: string,
  from: NotificationType['from'],
  about: string,
  params: P,
): NotificationType<P> {
  return { kind: 'notification', method, from, about, params };
}

/**
 * The part of a connection that calls need. Both a MessageConnection of vscode-jsonrpc and a LanguageClient of VS Code have it.
 */
export interface Caller {
  sendRequest(method: string, ...params: unknown[]): Promise<unknown>;
  sendNotification(method: string, params?: unknown): Promise<void>;
  onNotification(method: string, handler: (params: unknown) => void): { dispose(): void };
}

/**
 * Sends a request and checks its answer.
 * @param token CancellationToken of vscode-jsonrpc or VS Code
 * @throws UnimissError: that of the other side, or 'internal' if params or answer do not fit the declaration
 */
export async function call<T extends RequestType>(
  connection: Caller,
  type: T,
  params: ParamsOf<T>,
  token?: unknown,
): Promise<ResultOf<T>> {
  const checked = check(type.params, params, `${type.method}: params`);
  let answer: unknown;
  try {
    answer = await connection.sendRequest(type.method, ...(token === undefined ? [checked] : [checked, token]));
  } catch (error) {
    throw fromWireError(error, type.method, type.ifLost);
  }
  return check(type.result, answer, `${type.method}: answer`) as ResultOf<T>;
}

/** Sends a notification. */
export function notify<T extends NotificationType>(connection: Caller, type: T, params: ParamsOf<T>): Promise<void> {
  return connection.sendNotification(type.method, check(type.params, params, `${type.method}: params`));
}

/** Passes every notification of a type to `handler`; one that does not fit its declaration goes to `invalid` instead. */
export function listen<T extends NotificationType>(
  connection: Caller,
  type: T,
  handler: (params: CheckedParamsOf<T>) => void,
  invalid: (error: UnimissError) => void,
): { dispose(): void } {
  return connection.onNotification(type.method, (params) => {
    const checked = type.params.safeParse(params ?? {});
    if (checked.success) handler(checked.data as CheckedParamsOf<T>);
    else invalid(undeclared(`${type.method}: params`, checked.error));
  });
}

/** The checked value. @throws UnimissError 'internal' that names the message and the field */
export function check<S extends z.ZodType>(schema: S, value: unknown, place: string): z.output<S> {
  const checked = schema.safeParse(value === undefined ? {} : value);
  if (checked.success) return checked.data;
  throw undeclared(place, checked.error);
}

function undeclared(place: string, error: z.ZodError): UnimissError {
  return new UnimissError('internal', `does not match the protocol: ${z.prettifyError(error)}`, {
    place,
    remedy: 'Client and daemon may have different versions. Run `unimiss daemon stop` to restart the daemon.',
    cause: error,
  });
}

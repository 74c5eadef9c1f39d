import { z } from 'zod';
import { type ErrorCode, messageOf, UnimissError } from '../errors.ts';

/** Codes of JSON-RPC and LSP that the daemon answers with. */
export const rpcErrorCodes = {
  /** A message that is not JSON, or a frame that is too large: the connection ends. */
  parseError: -32700,
  /** A request that is not allowed now. */
  invalidRequest: -32600,
  methodNotFound: -32601,
  /** The params do not fit the declaration. */
  invalidParams: -32602,
  internalError: -32603,
  /** A request before `initialize`. */
  notInitialized: -32002,
  /** The answer to `initialize` from a client of another protocol version; `data` is a UnimissError's. */
  unknownProtocolVersion: 1,
  cancelled: -32800,
  /** A UnimissError; `data` holds it. */
  requestFailed: -32803,
} as const;

const allErrorCodes: Record<ErrorCode, true> = {
  config: true,
  data: true,
  engine: true,
  checkpoint: true,
  run: true,
  daemon: true,
  diverged: true,
  disk: true,
  interrupted: true,
  internal: true,
};

export const errorCodeSchema = z.enum(Object.keys(allErrorCodes) as ErrorCode[]);

/** `data` of an error response: the UnimissError, whole. */
export const errorDataSchema = z.object({
  code: errorCodeSchema,
  what: z.string().describe('What is wrong.'),
  place: z.string().optional().describe('File, field or op.'),
  remedy: z.string().optional().describe('What to do about it.'),
  images: z
    .array(z.string())
    .optional()
    .describe('Image names that these texts contain, spelled the same way. Names often contain patient numbers.'),
});
export type ErrorData = z.infer<typeof errorDataSchema>;

export function toErrorData(error: unknown): ErrorData {
  if (!(error instanceof UnimissError)) return { code: 'internal', what: messageOf(error), remedy: reportIt };
  const { place, remedy, images } = error.details;
  return {
    code: error.code,
    what: error.what,
    ...(place !== undefined && { place }),
    ...(remedy !== undefined && { remedy }),
    ...(images !== undefined && { images: [...images] }),
  };
}

export function fromErrorData({ code, what, place, remedy, images }: ErrorData, cause?: unknown): UnimissError {
  return new UnimissError(code, what, { place, remedy, images, cause });
}

/**
 * The reason for which a request was rejected, as a UnimissError. Names `method` if the other side named no place.
 * @param ifLost what to do if the connection ended first
 */
export function fromWireError(error: unknown, method: string, ifLost?: string): UnimissError {
  if (error instanceof UnimissError) return error;
  const { code, data } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    data?: unknown;
  };
  const known = errorDataSchema.safeParse(data);
  if (known.success) return fromErrorData(known.data, error);
  if (code === rpcErrorCodes.cancelled)
    return new UnimissError('interrupted', 'cancelled', { place: method, cause: error });
  if (isConnectionLost(error))
    return new UnimissError('daemon', 'the background server ended before it answered', {
      place: method,
      remedy: ifLost ?? 'Its runs continue. Try again: the next command starts it.',
      cause: error,
    });
  return new UnimissError(codeOf(code), messageOf(error), { place: method, cause: error });
}

/** Whether an error means that the connection ended before the answer arrived: codes of vscode-jsonrpc from -32099 to -32096. */
export function isConnectionLost(error: unknown): boolean {
  const { code } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown };
  return typeof code === 'number' && code >= -32099 && code <= -32096;
}

function codeOf(code: unknown): ErrorCode {
  return code === rpcErrorCodes.notInitialized ? 'daemon' : 'internal';
}

const reportIt = 'Report this with the daemon log. `unimiss daemon status` shows its path.';

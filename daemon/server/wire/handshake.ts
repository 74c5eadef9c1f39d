import { ResponseError } from 'vscode-jsonrpc/node.js';
import { clientOptionsSchema, type initialize } from '../../../protocol/daemon/lifecycleMessages.ts';
import type { AnswerOf, CheckedParamsOf } from '../../../protocol/daemon/rpc.ts';
import { rpcErrorCodes, toErrorData } from '../../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { controlVersion } from '../../../protocol/runs/trainerMessages.ts';

/**
 * Answers `initialize`. Both sides then speak the lower of their versions. A client that names no version (another editor that
 * only knows LSP) counts as speaking the newest.
 * @throws ResponseError with a remedy if no version is common to both
 */
export function greet(
  { clientInfo, initializationOptions }: CheckedParamsOf<typeof initialize>,
  about: { version: string; runsRoot: string; capabilities?: object },
  versions: { newest: number; oldest: number },
): { result: AnswerOf<typeof initialize>; client: string } {
  const client = clientInfo ? `${clientInfo.name}${clientInfo.version ? ` ${clientInfo.version}` : ''}` : 'a client';
  const asked = wantedVersion(initializationOptions, versions.newest);
  if (asked < versions.oldest)
    throw refusal(
      `${client} uses protocol version ${asked}; this daemon (${about.version}) supports ${versions.oldest} to ${versions.newest}`,
      'Update the client: the extension, or the `unimiss` program you started.',
    );
  return {
    client,
    result: {
      capabilities: { ...about.capabilities },
      serverInfo: { name: 'unimiss', version: about.version },
      unimiss: {
        protocol: Math.min(asked, versions.newest),
        pid: process.pid,
        runsRoot: about.runsRoot,
        control: controlVersion,
      },
    },
  };
}

function wantedVersion(options: unknown, newest: number): number {
  if (typeof options !== 'object' || options === null || !('protocol' in options)) return newest;
  const checked = clientOptionsSchema.safeParse(options);
  if (checked.success) return checked.data.protocol;
  throw refusal(
    `initializationOptions.protocol is ${JSON.stringify(options.protocol)?.slice(0, 50)}, which is not a version`,
    `Use a whole number from 1; the newest version is ${newest}.`,
  );
}

function refusal(what: string, remedy: string): ResponseError<unknown> {
  const error = new UnimissError('daemon', what, { remedy });
  // `retry` is a field of LSP: trying the same again will not help.
  return new ResponseError(rpcErrorCodes.unknownProtocolVersion, error.message, {
    ...toErrorData(error),
    retry: false,
  });
}

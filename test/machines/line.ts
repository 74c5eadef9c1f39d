import { Duplex } from 'node:stream';
import { DaemonConnection } from '../../daemon/client/daemonConnection.ts';
import { connectMachine, type Line } from '../../machines/connect.ts';
import type { Payload } from '../../machines/payload.ts';
import type { PrepareOptions } from '../../machines/prepare.ts';
import type { Sshd } from './sshd.ts';

/** A client of a machine's daemon, and the line that it uses. */
export async function clientOf(
  sshd: Sshd,
  host: string,
  payload: Payload,
  options: Partial<PrepareOptions> = {},
): Promise<{ client: DaemonConnection; line: Line }> {
  const line = await connectMachine(host, payload, { asking: 'nobody', env: sshd.env, ...options });
  const client = await DaemonConnection.open(Duplex.from({ readable: line.reader, writable: line.writer }));
  return { client, line };
}

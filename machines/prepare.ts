import { Readable } from 'node:stream';
import { UnimissError } from '../protocol/errors.ts';
import { printable } from '../protocol/printable.ts';
import { humanBytes } from '../protocol/words.ts';
import { type Entry, pack } from './archive.ts';
import { nodeEntries, nodeVersion } from './node.ts';
import type { Payload } from './payload.ts';
import { checkFacts, type MachineFacts, probe } from './probe.ts';
import { runScript } from './runScript.ts';
import { exits, linkNode, receiveScript } from './scripts.ts';
import type { SshOptions } from './sshCommand.ts';

export interface PrepareOptions extends SshOptions {
  signal?: AbortSignal;
  /** One line for people: what is being done. */
  onProgress?(message: string): void;
  /** Bytes that a daemon and a Node need while they are unpacked; tests set it. */
  needed?: number;
}

/** An unpacked Node, bytes (about). */
const nodeBytes = 100e6;

/**
 * Makes a machine ready for a connection: examines it, copies the daemon of this version, and Node if it has none that is new
 * enough. Everything goes over the user's `ssh`, into the user's home.
 * @throws UnimissError 'daemon', 'disk' or 'interrupted'; then the machine is as before
 */
export async function prepareMachine(host: string, payload: Payload, options: PrepareOptions): Promise<MachineFacts> {
  const { onProgress = () => {} } = options;
  onProgress(`Examining ${host}`);
  const facts = await probe(host, options);
  const nodeToo = facts.hasNode ? 0 : 2 * nodeBytes;
  checkFacts(host, facts, options.needed ?? 2 * payload.bytes + nodeToo);
  if (!facts.hasNode) {
    onProgress(`Fetching Node ${nodeVersion} for ${host}`);
    await copyTo(
      host,
      `node/${nodeVersion}`,
      await nodeEntries(options.signal),
      ['chmod 700 "$t/new/bin/node"'],
      options,
    );
  }
  await copyTo(host, `daemon/${payload.version}`, payload.entries, linkNode, options);
  return facts;
}

/** Copies files into a folder below ours on a machine; all of them or none. */
export async function copyTo(
  host: string,
  folder: string,
  entries: readonly Entry[],
  before: readonly string[],
  options: PrepareOptions,
): Promise<void> {
  const { archive, sha256 } = await pack(entries);
  const what = `Copying ${folder.split('/')[0] === 'node' ? 'Node' : 'the daemon'} to ${host}`;
  let sent = 0;
  const pieces = function* () {
    for (let at = 0; at < archive.length; at += 1 << 16) {
      options.onProgress?.(`${what}: ${humanBytes(sent)} of ${humanBytes(archive.length)}`);
      yield archive.subarray(at, at + (1 << 16));
      sent = Math.min(at + (1 << 16), archive.length);
    }
  };
  const input = Readable.from(pieces());
  const { code, errors } = await runScript(host, receiveScript(folder, sha256, before), { ...options, input });
  if (code === 0) return;
  throw copyError(host, code, errors);
}

/** Why a copy failed, by what the shell there wrote. */
export function copyError(host: string, code: number, errors: string): UnimissError {
  if (/No space left on device|Disk quota exceeded|disk quota/i.test(errors))
    return new UnimissError('disk', 'its disk filled up while UniMiSS was copied; nothing of it was kept', {
      place: host,
      remedy: 'Free some space in your home there, then connect again.',
    });
  if (/Read-only file system|Permission denied/i.test(errors))
    return new UnimissError('disk', 'UniMiSS may not write into your home there', {
      place: host,
      remedy: 'Make ~/.local/share writable there, or set XDG_DATA_HOME.',
    });
  if (code === exits.damaged)
    return new UnimissError('daemon', 'the copy arrived damaged or incomplete; nothing of it was kept', {
      place: host,
      remedy: 'Connect again.',
    });
  if (code === exits.noNode)
    return new UnimissError('daemon', 'the Node that was there a moment ago is gone', { place: host });
  return new UnimissError('daemon', `copying failed (code ${code}): ${printable(errors.trim()).slice(-500)}`, {
    place: host,
    remedy: 'UniMiSS needs `sh`, `tar`, `gzip` and `sha256sum` there.',
  });
}

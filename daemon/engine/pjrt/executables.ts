import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { rm, utimes } from 'node:fs/promises';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf } from '../../../protocol/errors.ts';
import { writeAtomically } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import { foreignFolder, readOwnFile } from '../../files/ownFolder.ts';
import { pruneFolder } from '../../files/pruneFolder.ts';
import type { Executable, PjrtClient } from './client.ts';
import type { XlaFlags } from './compileOptions.ts';
import { canBeKept } from './deviceOptions.ts';
import { PjrtError } from './pjrtError.ts';

/** Raised when files are written in another form, so that old ones are not used. */
const FORMAT = 2;

/** Bytes of executables above which those that were not used for longest are removed. */
const MAX_BYTES = 4 * 2 ** 30;

/** The first line of a file, by which the bytes after it are checked. Everything else is asked of the executable that they become. */
const headerSchema = z.object({
  format: z.literal(FORMAT),
  key: z.string(),
  bytes: z.number().int().min(0),
  sha256: z.string(),
});

export interface ExecutablesOptions {
  /** Folder of executables from earlier processes; undefined: everything is compiled. */
  readonly folder?: string | undefined;
  /** Receives news for the user: executables that could not be kept. */
  readonly notice?: (message: string) => void;
  readonly maxBytes?: number;
}

/**
 * Compiles modules, or takes what an earlier process compiled from a folder. A file is named by what its executable
 * depends on: plugin, its version, device, XLA's options (ours and those in XLA_FLAGS), the module; not by the versions of the
 * libraries that the plugin loads. Each file is checked before its bytes reach the plugin; one that
 * is damaged, foreign or refused by the plugin is replaced. Several processes may share the folder: a file appears only when it is whole.
 * What is loaded is run, so the folder must be the user's, and writable by nobody else.
 */
export class Executables {
  private folder: string | undefined;
  private readonly notice: (message: string) => void;
  private readonly maxBytes: number;
  /** How many were loaded instead of compiled. */
  loaded = 0;

  constructor(
    private readonly client: PjrtClient,
    private readonly flagsFor: (module: string) => XlaFlags,
    { folder, notice = () => {}, maxBytes = MAX_BYTES }: ExecutablesOptions = {},
  ) {
    this.folder = client.canSerialize ? folder : undefined;
    this.notice = notice;
    this.maxBytes = maxBytes;
  }

  /** The executable of a module. The caller frees it. @throws PjrtError with the plugin's words, which may name line and column */
  async of(module: string): Promise<Executable> {
    const flags = this.flagsFor(module);
    const folder = canBeKept(flags) ? await this.trusted() : undefined;
    if (folder === undefined) return this.client.compile(module, flags);
    const key = keyOf(this.client, flags, module);
    const file = join(folder, `${key}.executable`);
    const known = await this.read(file, key);
    if (known) {
      this.loaded++;
      return known;
    }
    const made = await this.client.compile(module, flags);
    await this.write(folder, file, key, made).catch((error: unknown) =>
      this.notice(`The compiled step could not be kept, so the next start compiles it again: ${messageOf(error)}`),
    );
    return made;
  }

  /** The folder, if nobody else can have written into it; else it is not used any more, and a notice says why. */
  private async trusted(): Promise<string | undefined> {
    const { folder } = this;
    if (folder === undefined) return undefined;
    const why = await foreignFolder(folder).catch(messageOf);
    if (why === undefined) return folder;
    this.notice(
      `Compiled steps are not kept, so each start compiles them again: ${folder} ${why}. Remove it, or make it yours alone (chmod 700).`,
    );
    this.folder = undefined;
    return undefined;
  }

  /** The executable in a file; undefined if there is none, or none that can be used, which is then removed. */
  private async read(file: string, key: string): Promise<Executable | undefined> {
    const content = await readOwnFile(file).catch((error: unknown) => {
      this.notice(`A compiled step cannot be read: ${messageOf(error)}`);
      return undefined;
    });
    if (!content) return undefined;
    const payload = await payloadOf(content, key);
    const loaded =
      payload &&
      (await this.client.load(payload).catch((error: unknown) => {
        if (error instanceof PjrtError) return undefined; // made by another build of the plugin
        throw error;
      }));
    const now = new Date();
    // The time of last use decides the order of removal. Without permission to set it, the time of writing decides.
    if (loaded) await utimes(file, now, now).catch(() => undefined);
    // Where it cannot be removed, it cannot be replaced either, of which `write` tells.
    else await rm(file, { force: true }).catch(() => undefined);
    return loaded;
  }

  private async write(folder: string, file: string, key: string, executable: Executable): Promise<void> {
    const payload = await this.client.serialize(executable);
    const header = { format: FORMAT, key, bytes: payload.length, sha256: await sha256Of(payload) } as const;
    await makeFolder(folder, { mode: 0o700 });
    await writeAtomically(
      file,
      async (handle) => {
        await handle.write(`${JSON.stringify(header satisfies z.infer<typeof headerSchema>)}\n`);
        await handle.writeFile(payload);
      },
      { mode: 0o600 },
    );
    await pruneFolder(folder, { names: /^[0-9a-f]{64}\.executable$/, maxBytes: this.maxBytes, keep: new Set([file]) });
  }
}

/** The executable's bytes in a file, if it is whole and the one that is meant. */
async function payloadOf(content: Buffer, key: string): Promise<Buffer | undefined> {
  const end = content.subarray(0, 4096).indexOf(0x0a);
  if (end < 0) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(content.toString('utf8', 0, end));
  } catch {
    return undefined;
  }
  const header = headerSchema.safeParse(json);
  const payload = content.subarray(end + 1);
  if (!header.success || header.data.key !== key || header.data.bytes !== payload.length) return undefined;
  return (await sha256Of(payload)) === header.data.sha256 ? payload : undefined;
}

/** In pieces: for a large executable it takes longer than the event loop may stand still. */
async function sha256Of(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += PIECE) {
    hash.update(bytes.subarray(at, at + PIECE));
    await setImmediate();
  }
  return hash.digest('hex');
}

const PIECE = 4 * 2 ** 20;

/** SHA-256 of what an executable depends on. */
function keyOf({ api, platform, devices }: PjrtClient, flags: XlaFlags, module: string): string {
  const { size, mtimeMs } = statSync(api.path);
  const plugin = [basename(api.path), size, mtimeMs, api.version, platform];
  const processor = platform.name === 'cpu' ? [cpus()[0]?.model, cpuFlags()] : [];
  const parts = [FORMAT, plugin, devices[0]?.name, processor, flags, process.env.XLA_FLAGS, module];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** What code for a processor may use, as Linux names it: code for one processor may not run on another of the same model. */
function cpuFlags(): string {
  try {
    return /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim() ?? '';
  } catch {
    return ''; // not Linux
  }
}

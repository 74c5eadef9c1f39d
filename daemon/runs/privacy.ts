import { createHmac, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { UnimissError } from '../../protocol/errors.ts';
import type { EventRecord, RunRecord } from '../../protocol/records.ts';
import { diskError } from '../checkpoint/atomicFile.ts';

/**
 * Replaces the names of image files, which often hold patient numbers, by stable hashes (`records.hidePaths`). The hash is keyed with
 * a secret of the user's, which never enters a run folder: a plain hash of "patient 00012345" is found by trying all numbers.
 */
export class PathHider {
  private readonly hidden = new Map<string, string>();
  private readonly byName = new Map<string, string>();

  /** `files`: absolute paths of all images of the run. */
  constructor(
    private readonly key: Uint8Array,
    files: Iterable<string>,
  ) {
    for (const file of files) this.add(file);
  }

  add(file: string): void {
    const hash = createHmac('sha256', this.key).update(file).digest('hex').slice(0, 16);
    const hidden = `image-${hash}${/\.(nii\.gz|nii|png|jpe?g)$/i.exec(file)?.[0].toLowerCase() ?? ''}`;
    this.hidden.set(file, hidden);
    this.byName.set(basename(file), hidden);
  }

  /** The stable name of an image. */
  nameOf(file: string): string {
    if (!this.hidden.has(file)) this.add(file);
    return this.hidden.get(file)!;
  }

  /** A message with every known image's path, and file name with the folders before it, replaced. */
  text(message: string): string {
    let hidden = message;
    for (const [file, name] of this.hidden) if (hidden.includes(file)) hidden = hidden.replaceAll(file, name);
    for (const [file, name] of this.byName) if (hidden.includes(file)) hidden = replaceName(hidden, file, name);
    return hidden;
  }

  /** A record with all its texts so treated. */
  record<T extends RunRecord>(record: T): T {
    if (record.kind === 'step') return record;
    if (record.kind === 'epoch') return { ...record, warnings: record.warnings.map((text) => this.text(text)) };
    const event: EventRecord = record;
    return {
      ...record,
      message: this.text(event.message),
      ...(event.file === undefined ? {} : { file: this.text(event.file) }),
      ...(event.details === undefined ? {} : { details: this.deep(event.details) }),
    };
  }

  private deep<V>(value: V): V {
    if (typeof value === 'string') return this.text(value) as V;
    if (Array.isArray(value)) return value.map((item) => this.deep(item)) as V;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.deep(item)])) as V;
  }
}

/** Replaces a file name together with the relative folders before it, but not where it is the end of a longer name. */
function replaceName(text: string, name: string, by: string): string {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`(?<![\\w.-])(?:[^\\s/"'\`:,;()]+/)*${escaped}(?![\\w-]|\\.\\w)`, 'g'), by);
}

/**
 * The user's secret for hiding names: 32 random bytes in `unimiss/privacy.key` under `$XDG_CONFIG_HOME` (or ~/.config), made when
 * first needed, readable by the user only. As long as it stays, an image has the same hash in all runs.
 */
export async function privacyKey(env: NodeJS.ProcessEnv = process.env): Promise<Uint8Array> {
  const file = join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'unimiss', 'privacy.key');
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    if (!existsSync(file)) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(temporary, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
      // Unlike renaming, linking fails where another process was faster: both then read the same secret.
      await link(temporary, file).catch(ifThere);
      await unlink(temporary);
    }
  } catch (error) {
    throw diskError(error, file);
  }
  const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'hex');
  if (key.length === 32) return key;
  throw new UnimissError('run', 'this is not the secret that names are hidden with', {
    place: file,
    remedy: 'Remove the file; a new one is made then, and images get new hashes.',
  });
}

function ifThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

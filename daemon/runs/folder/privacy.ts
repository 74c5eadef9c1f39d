import { createHmac, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, readFile, unlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import type { EventRecord, RunRecord } from '../../../protocol/records/records.ts';
import { diskError } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';

/** Any text that ends like the name of an image, with the folders before it. */
const anyImage = /[^\s"'`“”:;()]+\.(?:nii\.gz|nii|png|jpe?g)(?![\w-]|\.\w)/gi;
const isHidden = /^image-[0-9a-f]{16}\./;

/**
 * Replaces the names of image files, which often hold patient numbers, by stable hashes (`records.hidePaths`). A secret of the
 * user keys the hash and never enters a run folder: a plain hash of "patient 00012345" can be found by trying all numbers.
 */
export class PathHider {
  /** Path → hidden name. */
  private readonly hidden = new Map<string, string>();
  /** File name → paths that end with it. */
  private readonly byName = new Map<string, string[]>();

  /** `files`: paths of all images of the run. */
  constructor(
    private readonly key: Uint8Array,
    files: Iterable<string>,
  ) {
    for (const file of files) this.add(file);
  }

  /** Adds an image. A relative path that ends a known path is the same image. */
  add(file: string): void {
    if (this.hidden.has(file)) return;
    const name = basename(file);
    const alike = this.byName.get(name) ?? [];
    if (alike.some((known) => known.endsWith(`/${file}`))) return;
    this.hidden.set(file, this.hash(file));
    this.byName.set(name, [...alike, file]);
  }

  /** The stable name of an image. */
  nameOf(file: string): string {
    this.add(file);
    return this.hidden.get(file) ?? this.text(file);
  }

  /** A message with every known image's name replaced, together with the folders before it: absolute, relative or bare. */
  text(message: string): string {
    let text = message;
    for (const [name, files] of this.byName) {
      if (!message.includes(name)) continue;
      const ends = files.flatMap((file) => endsOf(file).map((end) => ({ end, by: this.hidden.get(file)! })));
      for (const { end, by } of ends.sort((x, y) => y.end.length - x.end.length)) text = replaceWhole(text, end, by);
      text = replaceWhole(text, name, files.length === 1 ? this.hidden.get(files[0]!)! : this.hash(name));
    }
    return text;
  }

  private hash(file: string): string {
    const hash = createHmac('sha256', this.key).update(file).digest('hex').slice(0, 16);
    return `image-${hash}${/\.(nii\.gz|nii|png|jpe?g)$/i.exec(file)?.[0].toLowerCase() ?? ''}`;
  }

  /**
   * The text of an error with its image names hidden. Its data list the images (`UnimissError.details.images`). A defect of ours,
   * or an error of the system, has no such data; there, everything that looks like an image's name is hidden as well.
   * @param text the text to show; default: its message
   */
  error(error: unknown, text = messageOf(error)): string {
    for (const image of imagesOf(error)) this.add(image);
    const shown = this.text(text);
    if (error instanceof UnimissError && error.code !== 'internal') return shown;
    return shown.replace(anyImage, (name) => (isHidden.test(name) ? name : this.nameOf(name)));
  }

  /** A record with the names hidden in all its texts. */
  record<T extends RunRecord>(record: T): T {
    if (record.kind === 'step') return record;
    if (record.kind === 'epoch') return { ...record, warnings: record.warnings.map((warning) => this.deep(warning)) };
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

/** The images that an error names: its list, or the path at which the file system failed. */
function imagesOf(error: unknown): readonly string[] {
  if (error instanceof UnimissError) return error.details.images ?? [];
  const { path } = (typeof error === 'object' && error !== null ? error : {}) as { path?: unknown };
  return typeof path === 'string' ? [path] : [];
}

/** A path and its suffixes that begin at a folder: /a/b/c → /a/b/c, a/b/c, b/c. */
function endsOf(file: string): string[] {
  const parts = file.split('/');
  return parts.slice(0, -1).map((_, i) => parts.slice(i).join('/'));
}

/** Replaces a name, but not inside a longer one. */
function replaceWhole(text: string, name: string, by: string): string {
  if (!text.includes(name)) return text;
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`(?<![\\w.-])${escaped}(?![\\w-]|\\.\\w)`, 'g'), () => by);
}

/**
 * The user's secret for hiding names: 32 random bytes in `unimiss/privacy.key` under `$XDG_CONFIG_HOME` (or ~/.config), made on
 * first use, readable only by the user. While it exists, an image has the same hash in all runs.
 */
export async function privacyKey(env: NodeJS.ProcessEnv = process.env): Promise<Uint8Array> {
  const file = join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'unimiss', 'privacy.key');
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    if (!existsSync(file)) {
      await makeFolder(dirname(file));
      await writeFile(temporary, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
      // Unlike renaming, linking fails if another process was faster; both then read the same secret.
      await link(temporary, file).catch(ifThere);
      await unlink(temporary);
    }
  } catch (error) {
    throw diskError(error, file);
  }
  const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'hex');
  if (key.length === 32) return key;
  throw new UnimissError('run', 'the file does not contain a valid secret for hiding names', {
    place: file,
    remedy: 'Remove the file. The next run creates a new one, and images get new hashes.',
  });
}

function ifThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UnimissError } from '../../../protocol/errors.ts';
import { chosenBy, writeTextAtomically } from '../../files/atomic.ts';
import { requireFolder } from '../../files/folder.ts';
import { pruneFolder } from '../../files/pruneFolder.ts';
import { readFailure } from '../formats/bytes.ts';
import { filesOfImage } from '../formats/imageFiles.ts';
import { caseDigests } from './caseDigests.ts';
import { classPositions } from './positions.ts';
import { PreparedFile, writePrepared } from './preparedFile.ts';
import { prepareImage } from './prepareImage.ts';
import { readCase } from './readCase.ts';
import type { CaseFiles, PrepareSettings } from './settings.ts';
import { tiltOf } from './straighten.ts';

/** Raised when images are prepared in another way or their copies say something else, so that old ones are not used. */
const version = 4;

/** Bytes of prepared images above which the least recently used ones are removed. */
const usualMaxBytes = 100 * 2 ** 30;

/**
 * Removes the least recently used prepared images if the folder has become large. A run that still needs one prepares it again.
 * @param keep paths of those that stay, whatever the size: a run's own
 * @returns what was removed
 */
export function prunePrepared(folder: string, keep: ReadonlySet<string>, maxBytes = usualMaxBytes) {
  return pruneFolder(folder, { names: /^[0-9a-f]{32}\.prepared$/, maxBytes, keep });
}

/**
 * Prepared images on disk, each named by the content of its files and by what it was prepared for: another name, folder or time of
 * the same files finds the same copy, and a changed file never an old one. Files are readable by their owner only. Several
 * processes and threads may share one folder: a file appears only when it is complete, so preparing can be interrupted at any time.
 */
export class PreparedCache {
  constructor(
    private readonly folder: string,
    private readonly settings: PrepareSettings,
  ) {}

  /** The prepared image of a case, made where there is none. @throws UnimissError 'data' naming the file, 'disk' */
  async open(files: CaseFiles): Promise<PreparedFile> {
    try {
      return await this.find(files);
    } catch (error) {
      throw chosenBy(error, 'data.cache');
    }
  }

  private async find(files: CaseFiles): Promise<PreparedFile> {
    const path = await this.pathOf(files);
    try {
      const found = await PreparedFile.open(path);
      const now = new Date();
      // The time of last use decides the order of removal. Without permission to set it, the time of writing decides.
      await utimes(path, now, now).catch(() => undefined);
      return found;
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!missing && !(error instanceof UnimissError)) throw error;
      if (!missing) await rm(path, { force: true }); // damaged
    }
    const stored = await readCase(files, this.settings);
    const prepared = prepareImage(stored, this.settings, files.images[0]!);
    const positions = prepared.labels ? classPositions(prepared.labels) : new Map();
    const tilt = stored.grid ? tiltOf(stored.grid) : 0;
    await writePrepared(path, prepared, { positions, digests: caseDigests(stored), tilt });
    return PreparedFile.open(path);
  }

  private async pathOf({ images, labels }: CaseFiles): Promise<string> {
    await requireFolder(this.folder, { mode: 0o700 });
    const contents = (paths: readonly (string | null)[]) =>
      Promise.all(paths.map((path) => (path === null ? null : this.contentOf(path))));
    const from = labels && (await contents(labels.from.kind === 'map' ? [labels.from.path] : labels.from.paths));
    const meaning = labels && { ...labels, from: labels.from.kind };
    const key = [version, this.settings, await contents(images), meaning ?? null, from ?? null];
    const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32);
    return join(this.folder, `${name}.prepared`);
  }

  /** What an image's files contain, whatever they are called: of a file its hash, of several (a DICOM series) that of theirs. */
  private async contentOf(path: string): Promise<string> {
    const files = await filesOfImage(path, this.settings);
    const digests = await Promise.all(files.map((file) => this.digestOf(file)));
    const [only = '', ...others] = digests.sort();
    return others.length === 0 ? only : createHash('sha256').update(digests.join()).digest('hex');
  }

  /** SHA-256 of a file. It is remembered by path, time and size, so that large data sets are hashed once. */
  private async digestOf(path: string): Promise<string> {
    const { mtimeMs, size, ino } = await stat(path).catch((error: unknown) => {
      throw readFailure(path, error);
    });
    const state = createHash('sha256')
      .update(JSON.stringify([path, mtimeMs, size, ino]))
      .digest('hex')
      .slice(0, 32);
    const known = join(this.folder, `${state}.sha256`);
    const digest = await readFile(known, 'utf8').catch(() => '');
    if (/^[0-9a-f]{64}$/.test(digest)) return digest;
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash).catch((error: unknown) => {
      throw readFailure(path, error);
    });
    const made = hash.digest('hex');
    await writeTextAtomically(known, made);
    return made;
  }
}

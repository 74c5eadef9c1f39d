import { createHash } from 'node:crypto';
import { open, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../protocol/errors.ts';
import { makeFolder } from '../files/folder.ts';
import { pruneFolder } from '../files/pruneFolder.ts';
import { readNifti } from './formats/nifti.ts';
import type { Affine } from './formats/niftiGeometry.ts';
import { descriptionAt, writeNifti } from './formats/niftiWriter.ts';
import type { Volume } from './types.ts';

/** Raise it when reading or resampling of volumes changes, so that old copies are not used (2: unsound sform and qform). */
const version = 2;
/** Size of the folder, in bytes, above which the least recently used copies are removed. */
const defaultMaxBytes = 20 * 2 ** 30;
/** Number of copies written between two checks of the folder's size. */
const writesBetweenPruning = 16;

/** The source of a copy: a file at some time, and the spacing. */
export interface CacheKey {
  readonly path: string;
  readonly mtimeMs: number;
  readonly size: number;
  /** mm, [slice, x, y]. */
  readonly spacing: readonly number[];
}

/** A copy, and its source. */
export interface CachedVolume {
  readonly volume: Volume;
  /** `imageDigest` of the original volume; copies of version 0.1.0 have none. */
  readonly digest?: string;
}

const digestPrefix = 'from sha256 ';

/** The digest from the text in a copy's header. */
async function readDigest(file: string): Promise<string | undefined> {
  const handle = await open(file, 'r');
  try {
    const text = Buffer.alloc(80);
    await handle.read(text, 0, text.length, descriptionAt);
    return new RegExp(`^${digestPrefix}([0-9a-f]{64})`).exec(text.toString('latin1'))?.[1];
  } finally {
    await handle.close();
  }
}

/**
 * Resampled volumes on disk: NIfTI files, each named by the hash of its source, and readable only by its owner, since they are
 * patients' images. Several processes and threads may share one folder: a file appears only when it is complete.
 */
export class VolumeCache {
  private writes = 0;

  constructor(
    private readonly folder: string,
    private readonly maxBytes = defaultMaxBytes,
  ) {}

  private file(key: CacheKey): string {
    const name = createHash('sha256').update(JSON.stringify([version, key.path, key.mtimeMs, key.size, key.spacing]));
    return join(this.folder, `${name.digest('hex').slice(0, 32)}.nii`);
  }

  /** Returns the copy, or undefined if there is none. Removes a damaged copy, with a notice; it counts as none. */
  async get(key: CacheKey, onNotice: (message: string) => void): Promise<CachedVolume | undefined> {
    const file = this.file(key);
    try {
      await stat(file);
    } catch {
      return undefined;
    }
    try {
      const { volume } = await readNifti(file);
      const digest = await readDigest(file);
      const now = new Date();
      // The time of last use decides the order of removal. Without permission to set it, the time of writing decides.
      await utimes(file, now, now).catch(() => undefined);
      return { volume, ...(digest !== undefined && { digest }) };
    } catch (error) {
      onNotice(`the cached copy ${messageOf(error).split('\n')[0]}; a new one is made`);
      await rm(file, { force: true });
      return undefined;
    }
  }

  /** Writes a copy. If that fails (no space, no permission), it gives a notice, and only time is lost. */
  async put(
    key: CacheKey,
    { volume, affine, digest }: CachedVolume & { readonly affine: Affine },
    onNotice: (message: string) => void,
  ): Promise<void> {
    try {
      await makeFolder(this.folder, { mode: 0o700 });
      const description = digest === undefined ? undefined : `${digestPrefix}${digest}`;
      await writeNifti(this.file(key), { ...volume, affine, ...(description && { description }) }, 0o600);
      if (this.writes++ % writesBetweenPruning === 0) await this.prune();
    } catch (error) {
      onNotice(
        `resampled volumes cannot be cached in ${this.folder} (${messageOf(error)}); they are resampled each time they are read`,
      );
    }
  }

  /** Removes the least recently used copies until the folder is at nine tenths of its allowed size. */
  async prune(): Promise<void> {
    await pruneFolder(this.folder, { names: /^[0-9a-f]{32}\.nii$/, maxBytes: this.maxBytes });
  }
}

import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UnimissError } from '../../protocol/errors.ts';
import { readFailure } from './formats/bytes.ts';

/** Files below some folders. */
export interface FoundFiles {
  /** The deepest folder that holds everything; ids of samples are relative to it. */
  readonly root: string;
  /** Absolute paths in natural order. */
  readonly files: readonly string[];
  /** What was left out on purpose, and why. */
  readonly ignored: readonly IgnoredFile[];
}

/** A file that is not taken as an image. */
export interface IgnoredFile {
  readonly path: string;
  readonly why: string;
}

const collator = new Intl.Collator('en', { numeric: true });

/** Natural order (`scan2` before `scan10`), the same on every machine. */
export function naturalOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** `path` relative to `root` with `/` between its parts: a stable id wherever the folder lies. */
export function idOf(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}

/**
 * All files at any depth below the given folders (a file may be given as well). Symbolic links are followed; a folder or file that was
 * met already, under whatever name, is not entered again, so that links cannot lead in circles and no image counts twice.
 * Hidden files and folders (names that begin with a dot) are left out.
 * @throws UnimissError('data') where a given path does not exist or a folder may not be read
 */
export async function findFiles(paths: readonly string[]): Promise<FoundFiles> {
  const files: string[] = [];
  const ignored: IgnoredFile[] = [];
  const met = new Map<string, string>();
  const bases: string[] = [];

  /** @param real the path without links above its last part */
  const visit = async (path: string, entry: Dirent | Stats, real: string): Promise<void> => {
    const first = met.get(real);
    if (first !== undefined) {
      if (first !== path) ignored.push({ path, why: `is the same as ${first}` });
    } else if (entry.isDirectory()) {
      met.set(real, path);
      await visitAll(path, real);
    } else if (entry.isFile()) {
      met.set(real, path);
      files.push(path);
    } else if (entry.isSymbolicLink()) {
      await visitLink(path);
    } else {
      ignored.push({ path, why: 'is no regular file' });
    }
  };
  const visitLink = async (path: string): Promise<void> => {
    try {
      const real = await realpath(path);
      await visit(path, await stat(real), real);
    } catch (error) {
      if (error instanceof UnimissError) throw error;
      // A dangling link: the check of its header reports it with the reason.
      files.push(path);
    }
  };
  const visitAll = async (folder: string, real: string): Promise<void> => {
    const entries = await readdir(real, { withFileTypes: true }).catch((error) => {
      throw readFailure(folder, error);
    });
    for (const entry of entries.sort((a, b) => naturalOrder(a.name, b.name))) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.')) ignored.push({ path, why: 'is hidden (its name begins with a dot)' });
      else await visit(path, entry, join(real, entry.name));
    }
  };
  for (const given of paths) {
    const path = resolve(given);
    const info = await stat(path).catch((error) => {
      throw new UnimissError('data', readFailure(path, error).what, {
        place: path,
        remedy: 'Give a folder with images, or an image.',
        cause: error,
      });
    });
    bases.push(info.isDirectory() ? path : dirname(path));
    await visit(path, info, await realpath(path));
  }
  return { root: commonFolder(bases), files: files.sort(naturalOrder), ignored };
}

function commonFolder(folders: readonly string[]): string {
  const [first = '/', ...others] = folders;
  let common = first;
  while (!others.every((folder) => isInside(common, folder))) common = dirname(common);
  return common;
}

/** Is `path` the folder itself or below it, by its name alone? */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

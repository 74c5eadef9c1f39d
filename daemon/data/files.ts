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

  const visit = async (path: string): Promise<void> => {
    let real: string;
    try {
      real = await realpath(path);
    } catch {
      // A dangling link: the check of its header reports it with the reason.
      files.push(path);
      return;
    }
    const first = met.get(real);
    if (first !== undefined) {
      if (first !== path) ignored.push({ path, why: `is the same as ${first}` });
      return;
    }
    met.set(real, path);
    const info = await stat(real);
    if (!info.isDirectory()) {
      files.push(path);
      return;
    }
    const names = await readdir(real).catch((error) => {
      throw readFailure(path, error);
    });
    for (const name of names.sort(naturalOrder)) {
      if (name.startsWith('.')) ignored.push({ path: join(path, name), why: 'is hidden (its name begins with a dot)' });
      else await visit(join(path, name));
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
    await visit(path);
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

import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { UnimissError } from '../../../protocol/errors.ts';
import { isInside } from '../../../protocol/insideFolder.ts';
import { readFailure } from '../formats/bytes.ts';
import { formatOfName } from '../formats/sniff.ts';

/** Files below some folders. */
export interface FoundFiles {
  /** The deepest folder that contains everything; ids of samples are relative to it. */
  readonly root: string;
  /** Absolute paths in natural order. */
  readonly files: readonly string[];
  /** Folders whose names promise an image, in the same order. */
  readonly imageNamedFolders: readonly string[];
  /** Files that were skipped on purpose, and why. */
  readonly ignored: readonly IgnoredFile[];
}

/** A file that is skipped because it is no image. */
export interface IgnoredFile {
  readonly path: string;
  readonly why: string;
}

const collator = new Intl.Collator('en', { numeric: true });

/** Compares in natural order (`scan2` before `scan10`), the same on every machine. */
export function naturalOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** `path` relative to `root` with `/` between its parts: an id that does not depend on the place of the folder. */
export function idOf(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}

/**
 * Finds all files at any depth below the given folders; a path may also be a file. Symbolic links are followed; a folder or file
 * that was already found under another name is not entered again, so that links cannot form cycles and no image counts twice.
 * Hidden files and folders (names that begin with a dot) are skipped. A pipe, socket or device is skipped too, unless its name
 * promises an image: then it is among the files, and the check of its header names it as broken.
 * @throws UnimissError('data') if a given path does not exist or a folder may not be read; 'interrupted' on `signal`
 */
export async function findFiles(paths: readonly string[], signal?: AbortSignal): Promise<FoundFiles> {
  const files: string[] = [];
  const imageNamedFolders: string[] = [];
  const ignored: IgnoredFile[] = [];
  const bases: string[] = [];
  for (const path of paths.map((given) => resolve(given)))
    bases.push((await statGiven(path)).isDirectory() ? path : dirname(path));
  const hear: WalkListener = {
    onIgnored: (file) => ignored.push(file),
    onFolder: (path) => {
      if (formatOfName(path) !== undefined) imageNamedFolders.push(path);
    },
  };
  for await (const file of walkFiles(paths, hear)) {
    refuseAborted(signal);
    files.push(file);
  }
  return { root: commonFolder(bases), files: files.sort(naturalOrder), imageNamedFolders, ignored };
}

/** @throws UnimissError('interrupted') if the search was cancelled */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new UnimissError('interrupted', 'the search for images was cancelled');
}

/** Receives what a walk meets besides files. */
export interface WalkListener {
  onIgnored?(file: IgnoredFile): void;
  /** Called for each entered folder, except the given ones. */
  onFolder?(path: string): void;
}

/** As `findFiles`, yields files one by one, for callers that may not need all. */
export async function* walkFiles(paths: readonly string[], hear: WalkListener = {}): AsyncGenerator<string> {
  const given = paths.map((path) => resolve(path));
  const met = new Map<string, string>();

  /** @param real the path without links above its last part */
  async function* visit(path: string, entry: Dirent | Stats, real: string): AsyncGenerator<string> {
    const first = met.get(real);
    if (first !== undefined) {
      if (first !== path) hear.onIgnored?.({ path, why: `is the same as ${first}` });
    } else if (entry.isDirectory()) {
      met.set(real, path);
      if (!given.includes(path)) hear.onFolder?.(path);
      yield* visitAll(path, real);
    } else if (entry.isSymbolicLink()) {
      yield* visitLink(path);
    } else if (entry.isFile() || formatOfName(path) !== undefined) {
      met.set(real, path);
      yield path;
    } else {
      hear.onIgnored?.({ path, why: 'is not a regular file' });
    }
  }
  async function* visitLink(path: string): AsyncGenerator<string> {
    let real: string;
    let target: Stats;
    try {
      real = await realpath(path);
      target = await stat(real);
    } catch {
      // The check of its header reports a dangling link with the reason.
      yield path;
      return;
    }
    yield* visit(path, target, real);
  }
  async function* visitAll(folder: string, real: string): AsyncGenerator<string> {
    const entries = await readdir(real, { withFileTypes: true }).catch((error) => {
      throw readFailure(folder, error, given.includes(folder) ? [] : [folder]);
    });
    for (const entry of entries.sort((a, b) => naturalOrder(a.name, b.name))) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.')) hear.onIgnored?.({ path, why: 'is hidden (its name begins with a dot)' });
      else yield* visit(path, entry, join(real, entry.name));
    }
  }
  for (const path of given) yield* visit(path, await statGiven(path), await realpath(path));
}

function statGiven(path: string): Promise<Stats> {
  return stat(path).catch((error) => {
    throw new UnimissError('data', readFailure(path, error).what, {
      place: path,
      remedy: 'Give a folder with images, or an image.',
      images: imagesAmong([path]),
      cause: error,
    });
  });
}

/** The given paths whose names promise an image. Their names must be hidden, unlike those of folders in a configuration. */
export function imagesAmong(paths: readonly string[]): string[] {
  return paths.filter((path) => formatOfName(path) !== undefined);
}

/** The deepest folder that contains all of some folders; absolute paths. */
export function commonFolder(folders: readonly string[]): string {
  const [first = '/', ...others] = folders;
  let common = first;
  while (!others.every((folder) => isInside(common, folder))) common = dirname(common);
  return common;
}

import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { UnimissError } from '../../protocol/errors.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;

/**
 * Opens a file of a run folder for reading. Someone else may have made the folder: a link could lead to any file of the user, and
 * a pipe would block the thread. So this opens only a regular file, never through a link.
 * @param within the run folder, if the file is in a folder below it: that folder must not lead elsewhere
 * @returns undefined where there is no such file
 * @throws UnimissError 'run' if it is no regular file or leads out of `within`; otherwise the system's error
 */
export async function openRunFile(path: string, within?: string): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    if (within !== undefined) await checkInside(dirname(path), within);
    handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw refusal(error, path);
  }
  try {
    if ((await handle.stat()).isFile()) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  throw notAFile(path);
}

/**
 * All bytes of a file of a run folder.
 * @param most largest size, bytes; a longer file counts as absent
 * @returns undefined where there is no such file
 * @throws as `openRunFile`
 */
export async function readRunFile(
  path: string,
  { within, most = Number.POSITIVE_INFINITY }: { within?: string; most?: number } = {},
): Promise<Buffer | undefined> {
  const handle = await openRunFile(path, within);
  if (!handle) return undefined;
  try {
    return (await handle.stat()).size > most ? undefined : await handle.readFile();
  } finally {
    await handle.close();
  }
}

/**
 * Opens a file of a run folder for reading and appending; makes it if missing.
 * @param mode permissions of a new file
 * @returns its descriptor
 * @throws as `openRunFile`
 */
export function openToAppend(path: string, mode = 0o666): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode);
  } catch (error) {
    throw refusal(error, path);
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw notAFile(path);
}

async function checkInside(folder: string, within: string): Promise<void> {
  const [place, root] = await Promise.all([realpath(folder), realpath(within)]);
  if (place !== root && !place.startsWith(root + sep)) throw isLink(folder);
}

/** Explains the system's refusal of a file of the wrong kind. */
function refusal(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ELOOP') return isLink(path, error);
  if (code === 'ENXIO' || code === 'EISDIR') return notAFile(path, error);
  return error;
}

function isLink(place: string, cause?: unknown): UnimissError {
  return new UnimissError('run', 'is a link, and UniMiSS does not follow links in a run folder', {
    place,
    remedy: 'Replace it by the file itself.',
    cause,
  });
}

function notAFile(place: string, cause?: unknown): UnimissError {
  return new UnimissError('run', 'is not a regular file', { place, remedy: 'Remove it, or restore the file.', cause });
}

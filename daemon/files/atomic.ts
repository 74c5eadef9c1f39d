import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UnimissError } from '../../protocol/errors.ts';

const suffix = '.partial';

/**
 * Writes a file so that it is either whole or unchanged, whatever happens: a temporary name in the same folder, fsync, rename,
 * fsync of the folder. `write` receives the open temporary file; the user's umask restricts `mode`. Throws UnimissError 'disk' if
 * the system refuses (no space, no permission, …), and removes the temporary file.
 */
export async function writeAtomically(
  file: string,
  write: (handle: FileHandle) => Promise<void>,
  { mode = 0o666 }: { mode?: number } = {},
): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}-${randomBytes(4).toString('hex')}${suffix}`);
  let made = false;
  try {
    const handle = await open(temporary, 'wx', mode);
    made = true;
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(dirname(file));
  } catch (error) {
    // The first error counts; removing may fail as well (if a file has replaced the folder).
    if (made) await rm(temporary, { force: true }).catch(() => {});
    throw diskError(error, file);
  }
}

/** As `writeAtomically`, for a text. */
export function writeTextAtomically(file: string, text: string): Promise<void> {
  return writeAtomically(file, (handle) => handle.writeFile(text));
}

/** Makes created, renamed or removed names in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Removes partial files of killed processes in a folder. Only its owner may call this, and only while it writes nothing.
 * @param ofDead only those of processes that are gone, in a folder that several may write to
 */
export async function removePartial(folder: string, { ofDead = false } = {}): Promise<string[]> {
  const partial = (await readdir(folder)).filter((name) => name.startsWith('.') && name.endsWith(suffix));
  const left = ofDead ? partial.filter((name) => !isWriting(name)) : partial;
  for (const name of left) await rm(join(folder, name), { force: true });
  return left;
}

/** Whether the process that a partial file is named after lives. */
function isWriting(name: string): boolean {
  const pid = Number(/\.(\d+)-[0-9a-f]+\.partial$/.exec(name)?.[1] ?? 0);
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it lives, and is another user's
  }
}

/** Not only runs write files. */
const freeSpace = 'Free some space, and try again. A run that stopped resumes from its last checkpoint.';

/** What happened, and what to do: `setting` chooses the folder. */
const remedies: Record<string, readonly [what: string, remedy: (setting: string) => string]> = {
  ENOSPC: ['no space is left on the disk', () => freeSpace],
  EDQUOT: ['the disk quota is used up', () => freeSpace],
  EFBIG: ['the file system does not support files this large', (setting) => `Use another folder (${setting}).`],
  EROFS: ['the file system is read-only', (setting) => `Use a writable folder (${setting}).`],
  EACCES: ['no permission to write here', permissions],
  EPERM: ['no permission to write here', permissions],
  ENOENT: ['the folder does not exist', () => 'Create it, or choose another.'],
  ENOTDIR: ['this is a file, not a folder', () => 'Choose another folder.'],
  EEXIST: ['a file or a broken link has this name', () => 'Remove it, or choose another folder.'],
  ELOOP: ['this is a link, and UniMiSS does not follow links here', () => 'Replace it by the file itself.'],
  EISDIR: ['this is a folder, not a file', () => 'Choose another file name.'],
  EIO: ['the disk reports an input/output error', () => 'Check the disk, and continue with a copy of the folder.'],
};

function permissions(setting: string): string {
  return `Change the permissions, or use another folder (${setting}).`;
}

/** Turns a refusal of the system into UnimissError 'disk'; returns any other error unchanged. @param setting what chooses the folder */
export function diskError(error: unknown, file: string, setting = 'UNIMISS_RUNS'): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const known = code === undefined ? undefined : remedies[code];
  if (known === undefined) return error;
  const [what, remedy] = known;
  return new UnimissError('disk', what, { place: file, remedy: remedy(setting), cause: error });
}

/** The error of a disk, whose remedy names what chooses the folder (`--out`, `data.cache`); any other error unchanged. */
export function chosenBy(error: unknown, setting: string): unknown {
  if (!(error instanceof UnimissError) || error.code !== 'disk') return error;
  const { cause, place = '' } = error.details;
  const said = diskError(cause, place, setting);
  return said === cause ? error : said;
}

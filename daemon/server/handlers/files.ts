import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import {
  filesList,
  filesOpen,
  filesRead,
  filesStat,
  largestFilePiece,
  mostFileEntries,
} from '../../../protocol/files/messages.ts';
import { type Handler, handle } from '../wire/handler.ts';
import type { ServedFiles } from './servedFiles.ts';

type Kind = 'file' | 'folder';

/** Files of this machine, for clients on another one. */
export function fileHandlers(served: ServedFiles): Handler[] {
  return [
    handle(filesOpen, async ({ path }) => {
      const real = await served.open(path);
      return { path: real, kind: await kindOf(real) };
    }),
    handle(filesStat, async ({ path }) => {
      const real = await served.check(path);
      const { size, mtimeMs, ctimeMs, birthtimeMs } = await stat(real);
      return { kind: await kindOf(real), size, modified: mtimeMs, created: birthtimeMs || ctimeMs };
    }),
    handle(filesList, async ({ path }) => {
      const folder = await served.check(path);
      const found = await readdir(folder, { withFileTypes: true }).catch((cause) => {
        throw unreadable(path, cause);
      });
      const entries: { name: string; kind: Kind }[] = [];
      for (const entry of found.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
        if (entries.length === mostFileEntries) return { entries, more: true };
        if (entry.isFile()) entries.push({ name: entry.name, kind: 'file' });
        else if (entry.isDirectory()) entries.push({ name: entry.name, kind: 'folder' });
        else if (entry.isSymbolicLink()) {
          // One that leads out, or nowhere, is no entry.
          const kind = await served.check(join(folder, entry.name)).then(kindOf, () => undefined);
          if (kind) entries.push({ name: entry.name, kind });
        }
      }
      return { entries, more: false };
    }),
    handle(filesRead, async ({ path, offset }) => pieceOf(await served.check(path), offset)),
  ];
}

/** @throws UnimissError 'data' if it is neither file nor folder: a pipe would block */
async function kindOf(real: string): Promise<Kind> {
  const found = await stat(real);
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'folder';
  throw new UnimissError('data', 'is neither a file nor a folder', { place: real });
}

async function pieceOf(real: string, offset: number): Promise<{ data: string; size: number }> {
  // Not through a link that has taken its place meanwhile, and never waiting for a pipe.
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  const handle = await open(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((cause) => {
    throw unreadable(real, cause);
  });
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new UnimissError('data', 'is not a file', { place: real });
    const bytes = Buffer.alloc(Math.max(0, Math.min(largestFilePiece, found.size - offset)));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset);
    return { data: bytes.subarray(0, bytesRead).toString('base64'), size: found.size };
  } finally {
    await handle.close();
  }
}

function unreadable(place: string, cause: unknown): UnimissError {
  return new UnimissError('data', `cannot be read (${messageOf(cause)})`, { place, cause });
}

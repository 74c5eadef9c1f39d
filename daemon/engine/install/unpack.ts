import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { UnimissError } from '../../../protocol/errors.ts';
import { isInside } from '../../../protocol/insideFolder.ts';
import { syncFolder } from '../../files/atomic.ts';
import { writeFully } from '../../files/fully.ts';

/** A file that was unpacked; the path is relative to the folder. */
export interface UnpackedFile {
  path: string;
  bytes: number;
  sha256: string;
}

export interface UnpackOptions {
  /** The path in the folder for an entry of the archive; undefined if the entry is not unpacked. */
  place(entry: string): string | undefined;
  onBytes?(written: number, total: number): void;
  signal?: AbortSignal;
}

/**
 * Unpacks chosen files of a zip archive into a folder, one after the other and in pieces, so that memory stays small however
 * large they are. Checks sizes and CRC-32, and syncs every file and folder. Overwrites nothing, and no path leaves the folder.
 * @throws UnimissError `engine` for a damaged archive, `interrupted` on the signal; errors of the file system as they are.
 */
export async function unpackZip(archive: string, folder: string, options: UnpackOptions): Promise<UnpackedFile[]> {
  const damaged = (what: string, cause?: unknown): UnimissError =>
    new UnimissError('engine', what, { place: archive, remedy: 'Run the installation again.', cause });
  // yauzl itself refuses absolute paths, `..` and sizes that do not agree with the archive's index.
  const zip = await openPromise(archive, { lazyEntries: true, autoClose: false }).catch((cause) => {
    throw damaged(`This is not a readable zip archive: ${cause.message}`, cause);
  });
  try {
    const wanted: { entry: Entry; path: string }[] = [];
    try {
      for await (const entry of zip.eachEntry()) {
        const path = options.place(entry.fileName);
        if (path !== undefined && !entry.fileName.endsWith('/')) wanted.push({ entry, path });
      }
    } catch (cause) {
      throw damaged(`The archive is damaged: ${(cause as Error).message}`, cause);
    }
    const total = wanted.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
    const files: UnpackedFile[] = [];
    const folders = new Set<string>([folder]);
    let before = 0;
    for (const { entry, path } of wanted) {
      const target = resolve(folder, path);
      if (!isInside(folder, target)) throw damaged(`The path ${path} leads out of the folder`);
      await mkdir(dirname(target), { recursive: true, mode: 0o755 });
      for (let at = dirname(target); at !== resolve(folder); at = dirname(at)) folders.add(at);
      const written = await unpackEntry(zip, entry, target, {
        damaged,
        signal: options.signal,
        onBytes: (bytes) => options.onBytes?.(before + bytes, total),
      });
      before += entry.uncompressedSize;
      files.push({ path, ...written });
    }
    for (const each of folders) await syncFolder(each);
    return files;
  } finally {
    zip.close();
  }
}

interface EntryOptions {
  damaged(what: string, cause?: unknown): UnimissError;
  onBytes(bytes: number): void;
  signal?: AbortSignal;
}

async function unpackEntry(
  zip: ZipFile,
  entry: Entry,
  target: string,
  { damaged, onBytes, signal }: EntryOptions,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let crc = 0;
  let bytes = 0;
  const executable = entry.fileName.includes('/bin/');
  const handle = await open(target, 'wx', executable ? 0o755 : 0o644);
  try {
    const packed = await zip.openReadStreamPromise(entry, { decodeFileData: false }).catch((cause) => {
      throw damaged(`${entry.fileName} cannot be unpacked: ${cause.message}`, cause);
    });
    const pieces = inflate(packed, entry.compressionMethod)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const piece = await pieces.next().catch((cause) => {
          throw damaged(`${entry.fileName} is damaged in the archive: ${cause.message}`, cause);
        });
        if (piece.done) break;
        if (signal?.aborted) throw new UnimissError('interrupted', 'Stopped while unpacking');
        bytes += piece.value.length;
        if (bytes > entry.uncompressedSize) break; // an archive that lies about its sizes must not fill the disk
        hash.update(piece.value);
        crc = crc32(piece.value, crc);
        await writeFully(handle, piece.value, null);
        onBytes(bytes);
      }
    } finally {
      packed.destroy();
    }
    if (bytes !== entry.uncompressedSize)
      throw damaged(`${entry.fileName} differs in size from its entry in the archive`);
    if (crc !== entry.crc32) throw damaged(`${entry.fileName} differs in checksum from its entry in the archive`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/**
 * The file's own bytes, in pieces of 1 MiB. This inflates instead of yauzl, whose pieces of 16 KiB make unpacking a library of
 * 800 MB twice as slow.
 */
function inflate(packed: Readable, method: number): Readable {
  if (method === 0) return packed;
  if (method !== 8) throw new UnimissError('engine', `The archive uses the unknown compression method ${method}`);
  const inflater = createInflateRaw({ chunkSize: 1 << 20 });
  // The reader of the inflater gets the error; the callback prevents a second throw.
  pipeline(packed, inflater, () => {});
  return inflater;
}

/** SHA-256 of a file, hexadecimal. */
export async function hashFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (;;) {
      if (signal?.aborted) throw new UnimissError('interrupted', 'Stopped while checking a file');
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
  return hash.digest('hex');
}

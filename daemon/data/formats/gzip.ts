import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createUnzip, gunzip } from 'node:zlib';
import { UnimissError } from '../../../protocol/errors.ts';
import { imageError } from './imageError.ts';
import { maxInflation } from './limits.ts';

const gunzipAsync = promisify(gunzip);

/** What zlib says of a stream, as an error that names the file. */
export function gzipFailure(path: string, error: unknown): UnimissError {
  if (error instanceof UnimissError) return error;
  const ended = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
  // The cause keeps zlib's own words ("invalid distance too far back").
  const what = ended ? 'the gzip stream ends too early: the file is truncated' : 'the gzip stream is damaged';
  return imageError(path, what, { remedy: 'Copy or download the file again.', cause: error });
}

/** Decodes the first bytes of a gzip stream: possibly to nothing, at most to `maxInflation` times as many. */
export async function gunzipStart(path: string, head: Buffer): Promise<Buffer> {
  try {
    return await gunzipAsync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw gzipFailure(path, error);
  }
}

/**
 * Decodes a gzip stream that should give `expected` bytes; never allocates more than `expected + tolerated`. Throws
 * UnimissError('data') for a stream with more than `tolerated` extra bytes, or fewer bytes than expected.
 */
export async function gunzipWhole(path: string, bytes: Buffer, expected: number, tolerated: number): Promise<Buffer> {
  if (bytes.length * maxInflation < expected) {
    throw imageError(path, `its header claims ${expected} bytes, which ${bytes.length} compressed bytes cannot hold`);
  }
  const most = expected + tolerated;
  try {
    return await gunzipAsync(bytes, { chunkSize: Math.max(64, most), maxOutputLength: most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(path, expected);
    throw gzipFailure(path, error);
  }
}

/** The error for a file with more data than its header says. */
export function tooLong(path: string, expected: number): UnimissError {
  return imageError(path, `its header claims ${expected} bytes, but the file holds more`);
}

/** The error for a file with less data than its header says. */
export function tooShort(path: string, expected: number, found: number): UnimissError {
  return imageError(path, `its header claims ${expected} bytes, but the file holds only ${found}`);
}

/**
 * Counts the decoded bytes of a gzip or zlib stream without keeping them, and stops soon after `most`.
 * @param stream the file that contains it, if that is not `path`, and the byte at which it starts
 */
export async function gunzippedLength(
  path: string,
  most: number,
  stream: { readonly file: string; readonly start: number } = { file: path, start: 0 },
): Promise<number> {
  let length = 0;
  const { file, start } = stream;
  try {
    await pipeline(createReadStream(file, { start }), createUnzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        length += chunk.length;
        if (length > most) return;
      }
    });
  } catch (error) {
    // Leaving the loop early makes the streams end with an error.
    if (length <= most) throw gzipFailure(path, error);
  }
  return length;
}

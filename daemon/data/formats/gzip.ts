import { createReadStream } from 'node:fs';
import { type Readable, pipeline as streams } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createUnzip, gunzip } from 'node:zlib';
import { UnimissError } from '../../../protocol/errors.ts';
import { readFailure } from './bytes.ts';
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

/** Bytes of a piece of a file. */
const pieceBytes = 2 ** 20;

/**
 * The content of a file, decoded where it is a gzip stream, piece by piece.
 * @throws UnimissError('data') naming the file: it cannot be read, or the stream is damaged or ends too early
 */
export async function* readPieces(path: string, compressed: boolean): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: pieceBytes });
  // An error of either stream comes out of the last one, where the loop meets it.
  const source: Readable = compressed ? streams(file, createUnzip({ chunkSize: pieceBytes }), () => undefined) : file;
  try {
    yield* source as AsyncIterable<Buffer>;
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code?.startsWith('Z_') ? gzipFailure(path, error) : readFailure(path, error);
  } finally {
    file.destroy();
  }
}

/** Refuses a header that claims more than a gzip stream of this length can hold, before anything is allocated. */
export function checkInflation(path: string, compressed: number, expected: number): void {
  if (compressed * maxInflation < expected)
    throw imageError(path, `its header claims ${expected} bytes, which ${compressed} compressed bytes cannot hold`);
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

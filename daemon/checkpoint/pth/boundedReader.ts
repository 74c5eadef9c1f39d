import { read } from 'node:fs';
import type { Readable } from 'node:stream';
import { RandomAccessReader } from 'yauzl';
import { PthProblem } from './problem.ts';

/**
 * Reads a file for yauzl, within its size. A zip file may name any place: handed to Node, one beyond its range throws where nobody
 * can catch it.
 */
export class BoundedReader extends RandomAccessReader {
  constructor(
    private readonly descriptor: number,
    private readonly size: number,
  ) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    if (!(position >= 0 && length >= 0 && position + length <= this.size)) {
      setImmediate(callback, new PthProblem('it points beyond its end'));
      return;
    }
    read(this.descriptor, buffer, offset, length, position, (error, bytes) =>
      callback(error ?? (bytes < length ? new PthProblem('it became shorter while it was read') : null)),
    );
  }

  /** Entries are read by their places, never as streams. */
  override _readStreamForRange(): Readable {
    throw new PthProblem('it cannot be read as a stream');
  }

  /** The file belongs to the caller. */
  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }
}

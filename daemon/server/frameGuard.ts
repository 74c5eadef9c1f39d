import { Transform, type TransformCallback } from 'node:stream';

/** What a header is at most: that of LSP has some 30 bytes. */
const LONGEST_HEADER = 1024;
const END = '\r\n\r\n';

/** Why a connection is given up. */
export class FrameError extends Error {}

/**
 * Passes LSP frames through untouched (vscode-jsonrpc reads them) but ends with a FrameError at the first header that is none, or
 * that announces more than `largest` bytes: before anything of such a frame is kept.
 */
export class FrameGuard extends Transform {
  private header = '';
  /** Bytes of the body that are still to come; 0: a header is being read. */
  private body = 0;

  constructor(public largest: number) {
    super();
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    done(this.pass(chunk));
  }

  private pass(chunk: Buffer): FrameError | undefined {
    for (let at = 0; at < chunk.length; ) {
      if (this.body > 0) {
        const length = Math.min(this.body, chunk.length - at);
        this.push(chunk.subarray(at, at + length));
        this.body -= length;
        at += length;
        continue;
      }
      const before = this.header.length;
      this.header += chunk.toString('latin1', at, Math.min(chunk.length, at + LONGEST_HEADER));
      const end = this.header.indexOf(END);
      if (end < 0) {
        if (this.header.length >= LONGEST_HEADER)
          return new FrameError(`no header of a message within ${LONGEST_HEADER} bytes`);
        break;
      }
      const problem = this.bodyOf(this.header.slice(0, end));
      if (problem) return problem;
      this.push(Buffer.from(this.header.slice(0, end + END.length), 'latin1'));
      at += end + END.length - before;
      this.header = '';
    }
    return undefined;
  }

  private bodyOf(header: string): FrameError | undefined {
    const field = header.split('\r\n').find((line) => /^content-length:/i.test(line));
    const value = field?.slice(field.indexOf(':') + 1).trim();
    if (value === undefined || !/^\d{1,15}$/.test(value))
      return new FrameError('a header without a Content-Length that is a number');
    const length = Number(value);
    if (length > this.largest)
      return new FrameError(`a message of ${length} bytes; the largest that is taken has ${this.largest}`);
    this.body = length;
    return undefined;
  }
}

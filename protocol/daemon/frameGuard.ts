import { Transform, type TransformCallback } from 'node:stream';

/** Longest header, bytes; LSP's has about 30. */
const LONGEST_HEADER = 1024;
const END = '\r\n\r\n';

/** Why a connection was closed. */
export class FrameError extends Error {}

/** A message as an LSP frame. */
export function frameOf(message: unknown): string {
  const body = JSON.stringify(message);
  return `Content-Length: ${Buffer.byteLength(body)}${END}${body}`;
}

/**
 * Passes whole LSP frames through unchanged (vscode-jsonrpc reads them). Ends with a FrameError at the first invalid header, or
 * one that announces more than `largest` bytes, before it keeps anything of such a frame.
 *
 * At the end of the stream it emits `last`, if there is one, as if the other side had sent it, so that the reader knows that all earlier
 * messages are handled. It drops half a frame at the end.
 */
export class FrameGuard extends Transform {
  private header = '';
  /** The frame being read: its bytes so far, and how many are missing; 0: a header is being read. */
  private frame: Buffer[] = [];
  private missing = 0;

  constructor(
    public largest: number,
    private readonly last?: unknown,
  ) {
    // vscode-jsonrpc would take the end of input for the end of output, too.
    super({ emitClose: false });
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    done(this.pass(chunk));
  }

  override _flush(done: TransformCallback): void {
    if (this.last !== undefined) this.push(frameOf(this.last));
    done();
  }

  private pass(chunk: Buffer): FrameError | undefined {
    for (let at = 0; at < chunk.length; ) {
      if (this.missing > 0) {
        const piece = chunk.subarray(at, at + this.missing);
        this.frame.push(piece);
        this.missing -= piece.length;
        at += piece.length;
        if (this.missing === 0) this.passOn();
        continue;
      }
      const before = this.header.length;
      this.header += chunk.toString('latin1', at, Math.min(chunk.length, at + LONGEST_HEADER));
      const end = this.header.indexOf(END);
      if (end < 0) {
        if (this.header.length >= LONGEST_HEADER)
          return new FrameError(`no message header within ${LONGEST_HEADER} bytes`);
        break;
      }
      const problem = this.bodyOf(this.header.slice(0, end));
      if (problem) return problem;
      this.frame.push(Buffer.from(this.header.slice(0, end + END.length), 'latin1'));
      at += end + END.length - before;
      this.header = '';
      if (this.missing === 0) this.passOn();
    }
    return undefined;
  }

  private passOn(): void {
    for (const piece of this.frame) this.push(piece);
    this.frame = [];
  }

  private bodyOf(header: string): FrameError | undefined {
    const field = header.split('\r\n').find((line) => /^content-length:/i.test(line));
    const value = field?.slice(field.indexOf(':') + 1).trim();
    if (value === undefined || !/^\d{1,15}$/.test(value))
      return new FrameError('a header without a numeric Content-Length');
    const length = Number(value);
    if (length > this.largest) return new FrameError(`a message of ${length} bytes; the maximum is ${this.largest}`);
    this.missing = length;
    return undefined;
  }
}

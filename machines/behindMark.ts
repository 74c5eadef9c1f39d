import { Transform } from 'node:stream';
import { mark } from './scripts.ts';

/** Login scripts may print this much before what follows, bytes. */
const mostNoise = 256 * 1024;

/** Passes on what follows the line with the mark. Emits `mark` when it has come. */
export class BehindMark extends Transform {
  private before: Buffer | undefined = Buffer.alloc(0);

  override _transform(piece: Buffer, _encoding: string, done: (error?: Error | null, data?: Buffer) => void): void {
    if (!this.before) {
      done(null, piece);
      return;
    }
    const all = Buffer.concat([this.before, piece]);
    const at = all.indexOf(`${mark}\n`);
    if (at < 0) {
      this.before = all;
      done(all.length > mostNoise ? new Error('login scripts print too much') : undefined);
      return;
    }
    this.before = undefined;
    this.emit('mark');
    done(null, all.subarray(at + mark.length + 1));
  }
}

import type { WriteStream } from 'node:tty';
import type { Command } from 'commander';
import { printable, printableJson } from '../../../protocol/printable.ts';
import { wrap } from './wrap.ts';

export interface ReporterOptions {
  /** Standard output contains only JSON objects, one per line. */
  json?: boolean;
  out?: NodeJS.WriteStream;
  err?: NodeJS.WriteStream;
}

/** Minimum time between plain progress lines without a terminal, ms. */
const PLAIN_INTERVAL = 10_000;
/** Minimum time between redraws of a terminal's progress line, ms. */
const REDRAW_INTERVAL = 100;

/**
 * The output of a command: results on standard output, progress and notices on standard error. In a terminal, progress is one
 * line that is redrawn; elsewhere, it is an occasional plain line. File names in it cannot control the terminal.
 */
export class Reporter {
  readonly json: boolean;
  private readonly out: NodeJS.WriteStream;
  private readonly err: NodeJS.WriteStream;
  private drawn = '';
  /** The last progress line without a terminal: the end of work is often reported a second time, in the same words. */
  private printed = '';
  private drawnAt = Number.NEGATIVE_INFINITY;

  constructor({ json = false, out = process.stdout, err = process.stderr }: ReporterOptions = {}) {
    this.json = json;
    this.out = out;
    this.err = err;
  }

  /** The reporter for a command's options. */
  static of(command: Command): Reporter {
    return new Reporter({ json: command.optsWithGlobals().json === true });
  }

  /** A line of the result, for people. With --json only `record` writes to standard output. */
  line(text = ''): void {
    this.clear();
    (this.json ? this.err : this.out).write(`${printable(text)}\n`);
  }

  /** An object of the result, for scripts. */
  record(value: unknown): void {
    if (!this.json) return;
    this.out.write(`${printableJson(value)}\n`);
  }

  /** A message for people that scripts do not need. In a terminal, it is wrapped between words. */
  notice(text: string): void {
    this.clear();
    this.err.write(`${this.wrapped(printable(text), this.err)}\n`);
  }

  /** As `line`, wrapped between words in a terminal: for sentences, not for tables. */
  paragraph(text: string): void {
    const out = this.json ? this.err : this.out;
    this.clear();
    out.write(`${this.wrapped(printable(text), out)}\n`);
  }

  private wrapped(text: string, stream: NodeJS.WriteStream): string {
    return stream.isTTY === true ? wrap(text, widthOf(stream as WriteStream)) : text;
  }

  /** Progress of long work. `given` is one line; `last` means that it is complete and stays. */
  progress(given: string, last = false): void {
    const text = printable(given);
    const now = performance.now();
    const interval = this.terminal ? REDRAW_INTERVAL : PLAIN_INTERVAL;
    if (!last && now - this.drawnAt < interval) return;
    this.drawnAt = now;
    if (this.terminal) {
      drawnTo = this.err;
      const width = widthOf(this.err as WriteStream);
      this.drawn = text.length < width ? text : `${text.slice(0, width - 2)}…`;
      this.err.write(`\r\x1b[K${this.drawn}${last ? '\n' : ''}`);
      if (last) this.drawn = '';
      if (last) drawnTo = undefined;
    } else if (text !== this.printed) {
      this.err.write(`${text}\n`);
      this.printed = text;
    }
  }

  private get terminal(): boolean {
    return this.err.isTTY === true;
  }

  private clear(): void {
    if (this.drawn) this.err.write('\r\x1b[K');
    this.drawn = '';
    drawnTo = undefined;
  }
}

/** The terminal with a progress line that is not complete. */
let drawnTo: NodeJS.WriteStream | undefined;

/** Writes what ended the program under its progress line, which stays: it says how far the work was. */
export function writeError(text: string, err: NodeJS.WriteStream = process.stderr): void {
  const shown = printable(text);
  const begin = drawnTo === err ? '\n' : '';
  drawnTo = undefined;
  err.write(`${begin}${err.isTTY === true ? wrap(shown, widthOf(err as WriteStream)) : shown}\n`);
}

/** Columns of a terminal; unknown (0) or implausibly few count as 80. */
function widthOf({ columns }: WriteStream): number {
  return columns >= 20 ? columns : 80;
}

/** A duration for people: 42 s, 3 min 20 s, 2 h 05 min. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
}

import { closeSync, writeSync } from 'node:fs';
import { printable } from '../../../protocol/printable.ts';
import { diskError } from '../../files/atomic.ts';
import { openToAppend } from '../../files/runFile.ts';

export type LogLevel = 'info' | 'warning' | 'error';
export type LogLine = (level: LogLevel, message: string) => void;

/** log.txt of a run: messages, line by line with their time. Several starts of a run follow one another. */
export class RunLog {
  private readonly descriptor: number;
  constructor(private readonly file: string) {
    try {
      this.descriptor = openToAppend(file);
    } catch (error) {
      throw diskError(error, file);
    }
  }

  /** Further lines of a message are indented, so that each entry starts with its time. */
  write(level: LogLevel, message: string): void {
    const text = printable(message).trimEnd().replaceAll('\n', '\n    ');
    try {
      writeSync(this.descriptor, `${new Date().toISOString()} ${level.padEnd(7)} ${text}\n`);
    } catch (error) {
      throw diskError(error, this.file);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

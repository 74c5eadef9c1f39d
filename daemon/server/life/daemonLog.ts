import { chmodSync, copyFileSync, fstatSync, ftruncateSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { printable } from '../../../protocol/printable.ts';
import { diskError } from '../../files/atomic.ts';
import type { LogLine } from '../../runs/folder/log.ts';

/** A log longer than this becomes `….1`, bytes. */
const LONGEST = 1 << 20;

/** Opens the log of a daemon without a terminal, for its standard output and error. @returns its descriptor */
export function openDaemonLog(file: string): number {
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LONGEST) renameSync(file, `${file}.1`);
    return openSync(file, 'a', 0o600);
  } catch (error) {
    throw diskError(error, file);
  }
}

/** As `logToStderr`, for a daemon whose standard error is this file. Keeps a daemon that runs for long from filling the disk. */
export function logToFile(file: string): LogLine {
  return (level, message) => {
    shorten(file, 2);
    logToStderr(level, message);
  };
}

/** Moves the content of a log to `….1` once it is longer than `longest`. @param descriptor of the file, open for appending */
export function shorten(file: string, descriptor: number, longest = LONGEST): void {
  try {
    if (fstatSync(descriptor).size <= longest) return;
    copyFileSync(file, `${file}.1`);
    chmodSync(`${file}.1`, 0o600);
    ftruncateSync(descriptor);
  } catch {
    // A full disk must not end the daemon: the log stays as it is.
  }
}

/** Writes lines with their time to standard error. */
export const logToStderr: LogLine = (level, message) => {
  try {
    writeSync(
      2,
      `${new Date().toISOString()} ${level.padEnd(7)} ${printable(message).trimEnd().replaceAll('\n', '\n    ')}\n`,
    );
  } catch {
    // A full disk or a terminal that is gone must not end the daemon and with it the runs.
  }
};

import { closeSync, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { diskError } from '../../files/atomic.ts';
import { openToAppend } from '../../files/runFile.ts';
import { readLines } from './lines.ts';

export interface KeyedLinesOptions {
  /** Permissions of a new file. Default: those that the user gives to files. */
  readonly mode?: number;
  /** Called where the file cannot be written because its folder is read-only: then nothing is kept. Default: an error. */
  readonly onReadOnly?: () => void;
}

/**
 * Results that are kept in a file as soon as they are there, a line each, `{"key": …, "result": …}`: work that is killed goes on behind
 * them. The key holds all that decides the result. Lines that cannot be read, torn ones and those of other versions, do not count.
 */
export class KeyedLines<T> {
  private constructor(
    private readonly file: string,
    private readonly known: ReadonlyMap<string, T>,
    private readonly descriptor: number | undefined,
  ) {}

  /** @throws UnimissError 'disk'; 'run' for a file that is a link or a pipe */
  static async open<T>(
    file: string,
    result: z.ZodType<T>,
    { mode, onReadOnly }: KeyedLinesOptions = {},
  ): Promise<KeyedLines<T>> {
    const schema = z.object({ key: z.string(), result });
    const known = new Map<string, T>();
    try {
      for await (const { text } of readLines(file)) {
        const line = schema.safeParse(jsonOf(text));
        if (line.success) known.set(line.data.key, line.data.result);
      }
      return new KeyedLines(file, known, opened(file, mode));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!onReadOnly || (code !== 'EACCES' && code !== 'EROFS')) throw diskError(error, file);
      onReadOnly();
      return new KeyedLines(file, known, undefined);
    }
  }

  /** Whether anything can be kept. */
  get writable(): boolean {
    return this.descriptor !== undefined;
  }

  find(key: string): T | undefined {
    return this.known.get(key);
  }

  /** @throws UnimissError 'disk'; a full disk leaves no half line */
  add(key: string, result: T): void {
    const { descriptor } = this;
    if (descriptor === undefined) return;
    const { size } = fstatSync(descriptor);
    const line = Buffer.from(`${JSON.stringify({ key, result })}\n`);
    try {
      for (let done = 0; done < line.length; ) done += writeSync(descriptor, line, done);
    } catch (error) {
      ftruncateSync(descriptor, size);
      throw diskError(error, this.file);
    }
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
  }
}

function opened(file: string, mode: number | undefined): number {
  const descriptor = openToAppend(file, mode);
  const { size } = fstatSync(descriptor);
  const last = Buffer.alloc(1);
  // A line that a kill has torn must not swallow the next one.
  if (size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== 10) writeSync(descriptor, '\n');
  return descriptor;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // torn by a kill: it is done again
  }
}

import { createReadStream } from 'node:fs';

export interface Line {
  text: string;
  /** From 1. */
  number: number;
}

/** The complete lines of a file; what comes after the last line break, a line that is still being written, is left out. */
export async function* readLines(file: string): AsyncGenerator<Line> {
  let rest = '';
  let number = 0;
  for await (const chunk of createReadStream(file, {
    encoding: 'utf8',
    highWaterMark: 256 << 10,
  }) as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const text of lines) yield { text, number: ++number };
  }
}

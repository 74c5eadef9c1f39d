import type { FileHandle } from 'node:fs/promises';
import { openRunFile } from '../../files/runFile.ts';

export interface Line {
  text: string;
  /** From 1. */
  number: number;
}

/** Consecutive lines of a file. */
export interface LineBlock {
  lines: string[];
  /** Bytes of the file up to the end of the last line. */
  end: number;
}

/** The longest record, bytes; a longer line is no record. */
export const longestRecord = 8 << 20;

/** Bytes per read, unless a line is longer. Other work gets its turn between blocks. */
const BLOCK = 256 << 10;

/**
 * The complete lines between two places of a file; the first place is the beginning of a line. Ignores what follows the last line
 * break (a line still being written), and everything after a line of more than `longest` bytes.
 */
export async function* readLineBlocks(
  handle: FileHandle,
  from: number,
  to: number,
  longest = Number.POSITIVE_INFINITY,
): AsyncGenerator<LineBlock> {
  let block = Buffer.alloc(Math.min(BLOCK, Math.max(0, to - from)));
  for (let at = from; at < to; ) {
    const { bytesRead } = await handle.read(block, 0, block.length, at);
    const end = block.subarray(0, bytesRead).lastIndexOf(10) + 1;
    if (end > 0) {
      at += end;
      yield { lines: block.toString('utf8', 0, end - 1).split('\n'), end: at };
    } else if (bytesRead < block.length || block.length >= longest) return;
    else block = Buffer.alloc(2 * block.length);
  }
}

/** The complete lines of a file of a run folder; none if it does not exist yet. */
export async function* readLines(file: string): AsyncGenerator<Line> {
  const handle = await openRunFile(file);
  if (!handle) return;
  try {
    const { size } = await handle.stat();
    let number = 0;
    for await (const { lines } of readLineBlocks(handle, 0, size)) {
      for (const text of lines) yield { text, number: ++number };
    }
  } finally {
    await handle.close();
  }
}

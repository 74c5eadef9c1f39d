import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readLineBlocks, readLines } from './lines.ts';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-lines-'));
  file = join(folder, 'records.jsonl');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function linesOf(path: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text, number } of readLines(path)) {
    texts.push(text);
    expect(number).toBe(texts.length);
  }
  return texts;
}

it('gives the lines of a file of several blocks, characters of several bytes at their borders whole', async () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `${i} ${'µ→'.repeat(i % 400)}`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  expect(await linesOf(file)).toEqual(lines);
});

it('gives lines longer than a block, empty ones, and not the one that is still being written', async () => {
  const lines = ['a', '', 'b'.repeat(3 << 20), 'c'];
  writeFileSync(file, `${lines.join('\n')}\ntorn`);
  expect(await linesOf(file)).toEqual(lines);
  writeFileSync(file, '');
  expect(await linesOf(file)).toEqual([]);
});

it('continues at the given position, and ends at a line that is too long', async () => {
  const long = 'x'.repeat(5 << 20);
  writeFileSync(file, `first\nsecond\n${long}\nlast\n`);
  const handle = await open(file, 'r');
  const { size } = await handle.stat();
  const blocks = [];
  for await (const block of readLineBlocks(handle, 6, size, 4 << 20)) blocks.push(block);
  await handle.close();
  expect(blocks).toEqual([{ lines: ['second'], end: 13 }]);
});

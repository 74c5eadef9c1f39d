import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, it } from 'vitest';
import { connectMachine } from './connect.ts';
import { mark } from './scripts.ts';

const folder = mkdtempSync(join(tmpdir(), 'um-connect-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A line to a machine that says this behind the mark, and then nothing more. */
function lineTo(said: string) {
  const file = join(folder, 'ssh');
  const script = `process.stdout.write(${JSON.stringify(`hello\n${mark}\n${said}`)}); setInterval(() => {}, 1000);`;
  writeFileSync(file, `#!${process.execPath}\n${script}\n`);
  chmodSync(file, 0o700);
  const payload = { version: '1.0.0', entries: [], bytes: 0 };
  return connectMachine('gpu1', payload, { asking: 'nobody', env: { UNIMISS_SSH: file } });
}

it('passes on what the daemon says', async () => {
  const frame = 'Content-Length: 2\r\n\r\n{}';
  const line = await lineTo(frame);
  let heard = '';
  for await (const piece of line.reader) {
    heard += String(piece);
    if (heard.length === frame.length) await line.end(); // and so does the reader
  }
  expect(heard).toBe(frame);
});

it('a machine that announces a message which fills the memory is not listened to any more', async () => {
  const line = await lineTo('Content-Length: 999999999999\r\n\r\n{');
  expect(await text(line.reader)).toBe('');
  expect(await line.end()).toContain('a message of 999999999999 bytes; the maximum is 268435456');
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readEnds, readWhole } from './bytes.ts';

const dir = mkdtempSync(join(tmpdir(), 'bytes-'));
afterAll(() => rmSync(dir, { recursive: true }));

it('refuses what is no file, and does not wait for a writer', async () => {
  const pipe = join(dir, 'pipe.png');
  execFileSync('mkfifo', [pipe]);
  const socket = join(dir, 'socket.png');
  const server = createServer().listen(socket);
  try {
    for (const [path, what] of [
      [pipe, 'is a named pipe, not a file'],
      [socket, 'is not a regular file'],
      ['/dev/null', 'is not a regular file'],
      [dir, 'is a folder'],
    ] as const) {
      for (const read of [readEnds(path, 10, 10), readWhole(path, 10)]) {
        await expect(read).rejects.toMatchObject({ code: 'data', what, details: { place: path, images: [path] } });
      }
    }
  } finally {
    server.close();
  }
});

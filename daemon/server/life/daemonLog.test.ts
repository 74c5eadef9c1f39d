import { closeSync, mkdtempSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDaemonLog, shorten } from './daemonLog.ts';

it('a large log starts again; one earlier log is kept, for the user alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unimiss-log-'));
  const file = join(folder, 'daemon.log');
  const log = openDaemonLog(file);
  try {
    for (const round of ['first', 'second', 'third']) {
      writeSync(log, `${round} ${'x'.repeat(100)}\n`);
      shorten(file, log, 50);
    }
    shorten(file, log, 50);
    writeSync(log, 'after\n');
    expect(readFileSync(file, 'utf8')).toBe('after\n');
    expect(readFileSync(`${file}.1`, 'utf8')).toMatch(/^third x+\n$/);
    expect(statSync(`${file}.1`).mode & 0o777).toBe(0o600);
  } finally {
    closeSync(log);
    rmSync(folder, { recursive: true });
  }
});

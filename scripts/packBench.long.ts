import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lackOfPjrt, pjrtPlugin } from '../test/engine.ts';

describe.skipIf(lackOfPjrt)('the pack for a machine with a GPU', () => {
  test('is below 64 MiB, and measures in an empty home, without a network and without PyTorch', () => {
    const folder = mkdtempSync(join(tmpdir(), 'unimiss-pack-'));
    const pack = join(folder, 'pack.tar.gz');
    execFileSync(process.execPath, ['scripts/packBench.mjs', '--out', pack]);
    expect(statSync(pack).size).toBeLessThan(64 * 2 ** 20);
    const home = join(folder, 'home');
    mkdirSync(home);
    execFileSync('tar', ['-xzf', pack, '-C', folder]);

    // Nothing of this machine but its system: no variables, no home, and as root no network either.
    const env = { HOME: home, PATH: '/usr/bin:/bin', UNIMISS_PJRT: resolve(pjrtPlugin ?? '') };
    const asked = ['--device', 'pjrt:cpu', '--only', 'tiny-2D', '--batch', '1', '--precision', 'float32'];
    const command = ['sh', 'unimiss-bench/run.sh', ...asked, '--variants', '', '--rounds', '1', '--steps', '2'];
    const alone = process.getuid?.() === 0 ? ['unshare', '--net', ...command] : command;
    const out = execFileSync(alone[0] ?? '', alone.slice(1), { cwd: folder, env, encoding: 'utf8' });
    const [, , row] = out.trim().split('\n').slice(-3);
    expect(row).toMatch(/^\| tiny 2D \| 1 \| float32 \| [\d.]+ \| [\d.]+ \| – \| \d+ \| – \| [\d.]+ \| – \|$/);
    const [line] = readFileSync(join(folder, 'unimiss-bench', 'results.jsonl'), 'utf8').split('\n');
    const measured = JSON.parse(line ?? '');
    expect(measured).toMatchObject({ side: 'ours', device: 'pjrt:cpu', batch: 1, card: 'cpu' });
    expect(measured.gflop).toBeGreaterThan(1);
  });
});

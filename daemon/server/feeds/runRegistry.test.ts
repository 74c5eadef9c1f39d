import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeRun } from '../../../test/daemon/runs.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { Supervisor } from '../../runs/supervise/supervisor.ts';
import { RunRegistry } from './runRegistry.ts';

let folder: string;
let registry: RunRegistry;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-registry-'));
  const supervisor = new Supervisor({
    trainer: { file: 'none', args: [] },
    trainers: join(folder, 'trainers'),
    onChange: () => {},
    log: () => {},
  });
  registry = new RunRegistry(join(folder, 'runs'), supervisor);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

it('reads a run once, wherever it lies, however often it is asked for while all runs are listed', async () => {
  const inside = await makeRun(join(folder, 'runs'), 'inside', 10);
  const outside = await makeRun(join(folder, 'elsewhere'), 'outside', 10);
  const open = vi.spyOn(RunFolder, 'open');
  for (let second = 0; second < 5; second++) {
    await registry.list();
    for (const run of [inside, outside]) await registry.info(await registry.find(run.folder));
  }
  expect(open.mock.calls.map(([path]) => path).sort()).toEqual([inside.folder, outside.folder].sort());
});

it('forgets a run that is gone, and reads one that takes its place', async () => {
  const runs = [await makeRun(join(folder, 'runs'), 'a', 10), await makeRun(join(folder, 'elsewhere'), 'b', 10)];
  for (const run of runs) await registry.find(run.folder);
  for (const run of runs) rmSync(run.folder, { recursive: true });
  await registry.list();
  for (const run of runs) await expect(registry.find(run.folder)).rejects.toThrow(/there is no run/);
});

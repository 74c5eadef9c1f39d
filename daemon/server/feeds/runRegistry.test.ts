import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeRun } from '../../../test/daemon/runs.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { Supervisor } from '../../runs/supervise/supervisor.ts';
import { RunRegistry } from './runRegistry.ts';

let folder: string;
let supervisor: Supervisor;
let registry: RunRegistry;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-registry-'));
  supervisor = new Supervisor({
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

it('a run whose trainer has just ended is at its last recorded step, however old the last progress is', async () => {
  const run = await makeRun(join(folder, 'runs'), 'a', 10);
  const time = new Date().toISOString();
  const step = {
    time,
    kind: 'step',
    step: 9,
    epoch: 0,
    group: '3D',
    loss: 1,
    values: {},
    stepMs: 1,
    waitMs: 0,
    rssMiB: 1,
  };
  const records = [step, { time, kind: 'event', event: 'finish', message: 'Finished.', step: 9 }];
  writeFileSync(run.recordsFile, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  vi.spyOn(supervisor, 'live').mockReturnValue({
    ...{ activity: 'training', stage: null, queue: null, ending: null },
    progress: { step: 3, totalSteps: 10, epoch: 0, totalEpochs: 1, group: '3D', loss: 5, values: {} },
  });
  expect(await registry.info(run)).toMatchObject({
    state: 'finished',
    step: 9,
    loss: 1,
    losses: { '3D': 1 },
    progress: null,
  });
});

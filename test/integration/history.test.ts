import { readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Cli, fewPhantoms, onlyRun, recordsOf, smallConfig, temporaryFolder, unimiss, writeConfig } from './trainer.ts';

/** Pictures only, so that a run takes seconds. */
async function picturesOnly(epochs: number) {
  const manifest = await fewPhantoms(temporaryFolder('pictures'), 0, 4);
  return smallConfig(manifest, (config) => {
    config.train = { ...config.train, epochs, freezeLastLayerEpochs: 0 };
    config.checkpoint = { everyMinutes: null, everyEpochs: 1 };
  });
}

const checkpointsOf = (run: string) => readdirSync(join(run, 'checkpoints')).sort();

/** A run that was killed in its third epoch. @returns its folder */
async function killedRun(folder: string): Promise<string> {
  const cli = new Cli(folder, ['pretrain', writeConfig(folder, await picturesOnly(9)), '--foreground', '--json']);
  await cli.record((r) => r.kind === 'step' && r.epoch === 2);
  cli.kill('SIGKILL');
  expect((await cli.finished).signal).toBe('SIGKILL');
  return onlyRun(folder);
}

test('a run whose checkpoints are all damaged is refused at every resume, and keeps its records', async () => {
  const folder = temporaryFolder('history');
  const run = await killedRun(folder);
  const checkpoints = checkpointsOf(run);
  const steps = () => recordsOf(run).filter(({ kind }) => kind !== 'event');
  for (const name of checkpoints) truncateSync(join(run, 'checkpoints', name), 100);
  const first = await unimiss(folder, ['resume', run, '--foreground']);
  const before = steps();
  const second = await unimiss(folder, ['resume', run, '--foreground']);
  for (const refused of [first, second]) {
    expect(refused.code, refused.stderr).toBe(6);
    expect(refused.stderr).toMatch(/all 2 checkpoints are damaged[\s\S]*config\.resolved\.json/);
  }
  expect(before.length).toBeGreaterThan(4);
  expect(steps()).toEqual(before);
  expect(checkpointsOf(run)).toEqual(checkpoints);
}, 120_000);

test('a run whose checkpoints are gone, or were set aside by an earlier version, is refused as well', async () => {
  const folder = temporaryFolder('gone');
  const run = await killedRun(folder);
  const inRun = (name: string) => join(run, 'checkpoints', name);
  for (const name of checkpointsOf(run)) renameSync(inRun(name), inRun(`${name}.damaged`));
  const setAside = await unimiss(folder, ['resume', run, '--foreground']);
  expect(setAside.code).toBe(6);
  expect(setAside.stderr).toContain('all checkpoints are damaged');
  const records = recordsOf(run);
  for (const name of checkpointsOf(run)) rmSync(inRun(name));
  const gone = await unimiss(folder, ['resume', run, '--foreground']);
  expect(gone.code).toBe(6);
  expect(gone.stderr).toContain('its records mention checkpoints, but none exists');
  expect(recordsOf(run).slice(0, -1)).toEqual(records); // and the error
}, 120_000);

test('a run that is killed at the beginning of each epoch has one preview of each, and no torn one', async () => {
  const folder = temporaryFolder('previews');
  const epochs = 4;
  writeConfig(folder, await picturesOnly(epochs));
  const start = (): string[] =>
    epoch === 0 ? ['pretrain', join(folder, 'test.unimiss.jsonc')] : ['resume', onlyRun(folder)];
  let epoch = 0;
  for (; epoch < epochs; epoch++) {
    const cli = new Cli(folder, [...start(), '--foreground', '--json']);
    // The preview of the epoch that follows is recorded, its first step is not.
    await cli.record((r) => r.kind === 'event' && r.event === 'preview' && (r.epoch ?? 0) >= epoch);
    cli.kill('SIGKILL');
    expect((await cli.finished).signal).toBe('SIGKILL');
  }
  const torn = join(onlyRun(folder), 'previews', '.e00000-2D-image0-view1.png.1-ab.partial');
  writeFileSync(torn, 'half'); // as a kill leaves it
  const last = await unimiss(folder, [...start(), '--foreground']);
  expect(last.code, last.stderr).toBe(0);
  const run = onlyRun(folder);
  const previews = recordsOf(run).flatMap((r) => (r.kind === 'event' && r.event === 'preview' ? [r.epoch] : []));
  expect(previews).toEqual(Array.from({ length: epochs }, (_, i) => i));
  expect(readdirSync(join(run, 'previews')).filter((name) => name.endsWith('.partial'))).toEqual([]);
}, 240_000);

import { beforeAll, expect, test } from 'vitest';
import type { PretrainInput } from '../../protocol/config/pretrain/index.ts';
import { afterStep, expectSameAfter, type Unbroken, unbrokenRun, whileSaving } from './killAndResume.ts';
import {
  Cli,
  differing,
  fewPhantoms,
  newestTensors,
  numbersOf,
  onlyRun,
  recordsOf,
  smallConfig,
  temporaryFolder,
  unimiss,
  writeConfig,
} from './trainer.ts';

let unbroken: Unbroken<PretrainInput>;
beforeAll(async () => {
  unbroken = await unbrokenRun(smallConfig(await fewPhantoms(temporaryFolder('phantoms'))));
}, 120_000);

test('three SIGKILLs, one of them while a checkpoint is written: the resumed run equals the unbroken one bit for bit', async () => {
  expect(await expectSameAfter(unbroken, [afterStep(1), whileSaving(), afterStep(6)])).toBe(3);
}, 240_000);

test('Ctrl-C stops with a checkpoint, exit code 130, and a resumed run equals the unbroken one', async () => {
  const folder = temporaryFolder('stopped');
  const cli = new Cli(folder, ['pretrain', writeConfig(folder, unbroken.config), '--foreground', '--json']);
  await cli.record((r) => r.kind === 'step' && r.step === 3);
  cli.kill('SIGINT');
  const stopped = await cli.finished;
  expect(stopped.code, stopped.stderr).toBe(130);
  expect(stopped.stderr).toContain('unimiss resume');
  const { stdout } = await unimiss(folder, ['runs', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ state: 'stopped' });
  const resumed = await unimiss(folder, ['resume']);
  expect(resumed.code, resumed.stderr).toBe(0);
  const run = onlyRun(folder);
  expect(numbersOf(recordsOf(run))).toEqual(numbersOf(recordsOf(unbroken.run)));
  expect(differing(await newestTensors(run), await newestTensors(unbroken.run))).toEqual([]);
}, 240_000);

test('the number of workers does not change a run', async () => {
  const folder = temporaryFolder('workers');
  const config = { ...unbroken.config, data: { ...unbroken.config.data, workers: 2 } };
  const { code, stderr } = await unimiss(folder, ['pretrain', writeConfig(folder, config)]);
  expect(code, stderr).toBe(0);
  expect(numbersOf(recordsOf(onlyRun(folder)))).toEqual(numbersOf(recordsOf(unbroken.run)));
}, 120_000);

test('two processes never train the same run', async () => {
  const folder = temporaryFolder('twice');
  const first = new Cli(folder, ['pretrain', writeConfig(folder, unbroken.config), '--foreground', '--json']);
  await first.record((r) => r.kind === 'step');
  const second = await unimiss(folder, ['resume', onlyRun(folder)]);
  expect(second.code).toBe(7);
  expect(second.stderr).toContain(`process ${first.process.pid}`);
  expect((await first.finished).code).toBe(0);
}, 120_000);

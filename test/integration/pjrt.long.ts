import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { PretrainInput } from '../../protocol/config/pretrain/index.ts';
import { runCreate, runStart } from '../../protocol/runs/messages.ts';
import { DaemonPlace, ended, RunWatcher, trained, trainerPid } from '../daemon/harness.ts';
import { lackOfPjrt } from '../engine.ts';
import { afterStep, expectSame, expectSameAfter, unbrokenRun } from './killAndResume.ts';
import { Cli, fewPhantoms, smallConfig, temporaryFolder, writeConfig } from './trainer.ts';

/** A pre-training of pictures alone: XLA compiles one step, not two. */
async function pictures(): Promise<PretrainInput> {
  const manifest = await fewPhantoms(temporaryFolder('phantoms'), 0, 6);
  return smallConfig(manifest, (config) => {
    config.engine = { device: 'pjrt:cpu' };
    config.train = { ...config.train, epochs: 4 };
  });
}

/** What a process has computed so far, all its threads together. */
function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return ((user ?? 0) + (system ?? 0)) / 100; // the kernel's clock ticks
}

describe.skipIf(lackOfPjrt)('a run on pjrt:cpu', () => {
  const place = new DaemonPlace(resolve('dist/daemon/main.js'));
  afterAll(() => place.close());

  test('that was killed and resumed equals the unbroken one bit for bit', async () => {
    const unbroken = await unbrokenRun(await pictures());
    const versions = JSON.parse(readFileSync(join(unbroken.run, 'versions.json'), 'utf8'));
    expect(versions.tensorflow).toMatch(/^PJRT 0\.\d+ cpu/);
    expect(await expectSameAfter(unbroken, [afterStep(4)])).toBe(1);
  }, 600_000);

  test('has its first step within 5 s when it is started again: the compiled step was kept', async () => {
    const config = await pictures();
    const cache = temporaryFolder('cache');
    const start = async () => {
      const folder = temporaryFolder('start');
      const began = performance.now();
      const args = ['pretrain', writeConfig(folder, config), '--foreground', '--json'];
      const cli = new Cli(folder, args, { UNIMISS_CACHE: cache });
      await cli.record(({ kind }) => kind === 'step');
      const seconds = (performance.now() - began) / 1000;
      const processor = processorSeconds(cli.process.pid ?? 0);
      cli.kill('SIGKILL');
      await cli.finished;
      return { seconds, processor };
    };
    const [first, second] = [await start(), await start()];
    const told = ({ seconds, processor }: typeof first) =>
      `${seconds.toFixed(1)} s (${processor.toFixed(1)} s of processor)`;
    const load = loadavg()[0] ?? 0;
    console.log(`first step: compiled ${told(first)}, kept ${told(second)}; load ${load.toFixed(1)}`);
    expect(second.processor).toBeLessThan(5);
    expect(second.processor).toBeLessThan(first.processor / 2);
    // Beside other work, only the processor's time tells.
    if (load < availableParallelism()) expect(second.seconds).toBeLessThan(5);
  }, 600_000);

  test('through the daemon: killed and resumed, it equals one that nobody disturbed, bit for bit', async () => {
    const file = join(temporaryFolder('daemon-pjrt'), 'a.unimiss.jsonc');
    const from = { config: JSON.stringify(await pictures()), file };
    const client = await place.client();
    const watcher = await RunWatcher.on(client);
    const whole = await client.call(runCreate, { from });
    expect(whole).toMatchObject({ devices: ['cpu'], engineDevice: 'pjrt:cpu' });
    expect(await watcher.until(whole.folder, ended)).toMatchObject({ state: 'finished' });

    const { folder } = await client.call(runCreate, { from });
    await watcher.until(folder, trained(5));
    process.kill(trainerPid(folder), 'SIGKILL');
    expect(await watcher.until(folder, ended)).toMatchObject({ state: 'interrupted', ending: { signal: 'SIGKILL' } });
    await client.call(runStart, { run: folder });
    const last = await watcher.until(folder, (info) => ended(info) && info?.state !== 'interrupted');
    expect(last).toMatchObject({ state: 'finished', ending: { how: 'finished' } });
    await expectSame(folder, whole.folder);
  }, 600_000);
});

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { RunFolder } from '../../daemon/runs/folder/runFolder.ts';
import { resolveConfig } from '../../protocol/config/index.ts';
import { parseConfig } from '../../protocol/config/parseConfig.ts';
import type { FromWorker } from '../../protocol/runs/trainerMessages.ts';
import { keptWaiting } from '../ownTime.ts';
import { fewPhantoms, smallConfig, temporaryFolder, writeConfig } from './trainer.ts';

let worker: ChildProcess | undefined;
afterEach(() => worker?.kill('SIGKILL'));

test('while steps run, the trainer answers a ping in under 100 ms', async () => {
  const folder = temporaryFolder('ping');
  const config = smallConfig(await fewPhantoms(folder), (c) => {
    c.train = { ...c.train, epochs: 40, interval: 40, batch: { '2D': 2, '3D': 4 } };
    c.data = { ...c.data, modalities: '3D' };
    c.checkpoint = { everyMinutes: null, everyEpochs: 10 };
  });
  const text = readFileSync(writeConfig(folder, config), 'utf8');
  const run = await RunFolder.create(
    resolve(folder, 'runs'),
    text,
    resolveConfig(parseConfig(text, 'test'), { baseDir: folder }),
  );
  worker = fork(resolve('dist/daemon/main.js'), ['worker', run.folder], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const delays: number[] = [];
  let steps = 0;
  let [asked, waited] = [0, 0];
  const { pid } = worker;
  const waits = () => keptWaiting(pid!, process.pid);
  const ping = (id: number) => {
    waited = waits();
    asked = performance.now();
    worker?.send({ type: 'ping', id });
  };
  await new Promise<void>((done, fail) => {
    worker?.on('message', (message: FromWorker) => {
      if (message.type === 'failed') fail(new Error(message.error.what));
      if (message.type === 'progress') {
        // The first step is traced and prepared by TensorFlow; pings begin after it.
        if (++steps === 2) ping(0);
      }
      if (message.type === 'pong') {
        delays.push(performance.now() - asked - (waits() - waited));
        if (delays.length === 200) done();
        else setTimeout(() => ping(message.id + 1), 10);
      }
    });
  });
  worker.send({ type: 'stop' });
  await once(worker, 'exit');
  delays.sort((a, b) => a - b);
  console.log(`ping: median ${delays[100]?.toFixed(1)} ms, longest ${delays.at(-1)?.toFixed(1)} ms over 200`);
  // The one slowest is left to the collector of garbage.
  expect(delays.at(-2)).toBeLessThan(100);
}, 120_000);

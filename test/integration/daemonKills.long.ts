import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runCreate } from '../../protocol/runs/messages.ts';
import { DaemonPlace, ended, RunWatcher } from '../daemon/harness.ts';
import { expectUndisturbed, killDaemons } from './killDaemon.ts';
import { fewPhantoms, smallConfig, temporaryFolder } from './trainer.ts';

const folder = temporaryFolder('daemon-kills');
const place = new DaemonPlace(resolve('dist/daemon/main.js'));
afterAll(() => place.close());

it('20 SIGKILLs of the daemon during one run of the real trainer cost it no step and change no byte', async () => {
  const manifest = await fewPhantoms(join(folder, 'images'));
  // Long enough for all kills on a slow machine; the undisturbed run takes the same steps.
  const config = JSON.stringify(
    smallConfig(manifest, (c) => {
      c.train = { ...c.train, epochs: 400 };
      c.checkpoint = { everyMinutes: null, everyEpochs: 10 };
    }),
  );
  const file = join(folder, 'a.unimiss.jsonc');
  writeFileSync(file, config);
  const began = performance.now();
  const run = await killDaemons(place, 20, (client) => client.call(runCreate, { from: { config, file } }));
  console.info(`20 kills in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  const client = await place.client();
  const watcher = await RunWatcher.on(client);
  expect(await watcher.until(run, ended)).toMatchObject({ state: 'finished' });
  const whole = await client.call(runCreate, { from: { config, file } });
  expect(await watcher.until(whole.folder, ended)).toMatchObject({ state: 'finished' });
  await expectUndisturbed(run, whole.folder);
});

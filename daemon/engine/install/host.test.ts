import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { releaseFor } from '../../../protocol/engine/release.ts';
import { humanBytes } from '../../../protocol/words.ts';
import { goodHost } from './fixtures.ts';
import { checkHost, compareVersions, thisHost } from './host.ts';
import { wantedPath } from './wheelFiles.ts';

test('this machine is described', () => {
  expect(thisHost()).toMatchObject({ platform: process.platform, arch: process.arch });
  checkHost(goodHost);
});

test.each([
  ['Windows', { platform: 'win32' }, /Windows.*\n.*WSL.*SSH/],
  ['macOS', { platform: 'darwin' }, /macOS\n.*Linux machine over SSH/],
  ['a 32-bit ARM processor', { arch: 'arm' }, /arm processors\n.*SSH/],
  ['musl', { glibc: undefined }, /musl.*\n.*glibc/],
  ['an old glibc', { glibc: '2.17' }, /glibc 2\.27 or newer, but this system has 2\.17\n/],
  ['a processor without AVX', { cpuFlags: ['sse4_2'] }, /AVX.*Test CPU.*\n/],
])('on %s it says what to use instead', (_, change, message) => {
  expect(() => checkHost({ ...goodHost, ...change })).toThrow(message);
});

test('arm64 has no AVX and needs none', () => {
  checkHost({ ...goodHost, arch: 'arm64', cpuFlags: ['asimd'] });
});

test('versions are compared by their numbers', () => {
  expect(compareVersions('2.9', '2.27')).toBeLessThan(0);
  expect(compareVersions('525.60.13', '525.60')).toBeGreaterThan(0);
  expect(compareVersions('12', '12.0.0')).toBe(0);
  const version = fc.array(fc.nat(300), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
  fc.assert(fc.property(version, version, (a, b) => compareVersions(a, b) === -compareVersions(b, a)));
});

describe('the pinned release', () => {
  test.each([
    ['cpu', 'x64', ['tensorflow-cpu']],
    ['cpu', 'arm64', ['tensorflow']],
  ] as const)('%s on %s', (device, arch, names) => {
    expect(releaseFor(device, arch).wheels.map((wheel) => wheel.name)).toEqual(names);
  });

  test('cuda brings all packages of the extra and-cuda', () => {
    const { wheels } = releaseFor('cuda', 'x64');
    expect(wheels[0]!.name).toBe('tensorflow');
    expect(wheels.slice(1).map((wheel) => wheel.name.replace(/^nvidia-(.*)-cu12$/, '$1'))).toEqual(
      'cublas cuda-cupti cuda-nvcc cuda-nvrtc cuda-runtime cudnn cufft curand cusolver cusparse nccl nvjitlink'.split(
        ' ',
      ),
    );
    for (const wheel of wheels) {
      expect(wheel.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(wheel.unpackedBytes).toBeGreaterThan(0);
    }
    expect(new Set(wheels.map((wheel) => wheel.sha256)).size).toBe(wheels.length);
  });

  test('without one, it says so', () => {
    expect(() => releaseFor('cuda', 'arm64')).toThrow(/x86-64 only\n.*--device cpu/);
    expect(() => releaseFor('cpu', 'riscv64')).toThrow(/riscv64 processors\n/);
  });

  test.each([
    ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_cc.so.2'],
    ['tensorflow/python/_pywrap_tfe.so', undefined],
    ['tensorflow/include/LICENSE', 'licenses/w/LICENSE'],
    ['tensorflow/include/external/png/LICENSE', undefined],
    ['tensorflow/THIRD_PARTY_NOTICES.txt', 'licenses/w/THIRD_PARTY_NOTICES.txt'],
    ['nvidia_nccl_cu12-2.32.3.dist-info/licenses/License.txt', 'licenses/w/License.txt'],
    ['nvidia_nccl_cu12-2.32.3.dist-info/RECORD', undefined],
    ['nvidia/cublas/lib/libcublasLt.so.12', 'nvidia/cublas/lib/libcublasLt.so.12'],
    ['nvidia/cuda_nvrtc/lib/libnvrtc.alt.so.12', undefined],
    ['nvidia/cuda_runtime/lib/libcudart_static.a', undefined],
    ['nvidia/cuda_runtime/include/cuda.h', undefined],
    ['nvidia/cuda_nvcc/bin/ptxas', 'nvidia/cuda_nvcc/bin/ptxas'],
    ['nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc', 'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc'],
  ])('of a wheel, %s goes to %s', (entry, path) => {
    expect(wantedPath('w', entry)).toBe(path);
  });
});

test('bytes for people', () => {
  expect([0, 1023, 1024, 1536, 853_308_936, 6e12].map(humanBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '814 MiB',
    '5.5 TiB',
  ]);
});

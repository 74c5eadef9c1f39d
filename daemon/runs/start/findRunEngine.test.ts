import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { fakeElf, sandbox } from '../../engine/install/fixtures.ts';
import { chooseDevice, detectGpus } from '../../engine/install/gpu.ts';
import { visibleGpus } from '../../engine/install/visibleGpus.ts';
import { deviceName, findRunEngine } from './findRunEngine.ts';

const slow = 'GPU-11111111-aaaa-bbbb-cccc-000000000001';
const fast = 'GPU-22222222-aaaa-bbbb-cccc-000000000002';
/** nvidia-smi of a machine whose fastest GPU is not the first on the bus: CUDA would number them in reverse. */
const smi = `if (!process.argv[2].includes('uuid')) process.exit(2);
  console.log('0, NVIDIA T400, 4096, 575.1, ${slow}\\n1, NVIDIA H100, 81559, 575.1, ${fast}');`;

function machine() {
  const box = sandbox();
  mkdirSync(join(box.folder, 'bin'), { recursive: true });
  box.program('../bin/nvidia-smi', smi);
  const tensorflow = join(box.folder, 'tensorflow');
  mkdirSync(tensorflow);
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
    writeFileSync(join(tensorflow, name), fakeElf(process.arch === 'arm64' ? 183 : 62));
  return { ...box.env, UNIMISS_TENSORFLOW: tensorflow };
}

const visible = async (given: string | undefined) => {
  const env = { ...machine(), CUDA_VISIBLE_DEVICES: given };
  return visibleGpus((await detectGpus({ env })).gpus, env).map((gpu) => gpu.visible);
};

describe('GPUs are named by their UUID', () => {
  test('all, in the order of the bus, where nothing restricts them', async () => {
    expect(await visible(undefined)).toEqual([slow, fast]);
  });

  test.each([
    ['1', [fast]],
    ['1,0', [fast, slow]],
    [` ${fast} , 0`, [fast, slow]],
    ['GPU-2222', [fast]],
    ['', []],
    ['-1', []],
    ['0,7,1', [slow]],
    ['GPU-', []],
    ['NoDevFiles', []],
    ['MIG-33333333-aaaa', ['MIG-33333333-aaaa']],
  ])('of CUDA_VISIBLE_DEVICES=%s only what that leaves, in its order', async (given, expected) => {
    expect(await visible(given)).toEqual(expected);
  });
});

describe('a run', () => {
  afterEach(() => vi.unstubAllEnvs());
  const found = (gpu: number | undefined, given: string | undefined) => {
    const env = { ...machine(), CUDA_VISIBLE_DEVICES: given };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const text = JSON.stringify({
      data: { paths: 'x' },
      engine: { device: 'cuda', ...(gpu !== undefined && { gpu }) },
    });
    return findRunEngine(resolveConfig(parseConfig(text, 'a'), { baseDir: '/' }).engine, env);
  };

  test.each([
    [undefined, undefined, slow],
    [1, undefined, fast],
    [undefined, '1', fast],
    [0, '1,0', fast],
    [1, '1,0', slow],
  ])('with engine.gpu = %s and CUDA_VISIBLE_DEVICES=%s takes %s', async (gpu, given, expected) => {
    expect((await found(gpu, given)).gpu?.visible).toBe(expected);
  });

  test('that asks for more than it may use is refused with what there is', async () => {
    await expect(found(1, '1')).rejects.toThrow(
      /no GPU has number 1[\s\S]*0 \(NVIDIA H100\)[\s\S]*CUDA_VISIBLE_DEVICES/,
    );
  });

  test('in bfloat16 that takes the CPU instead is told that TensorFlow multiplies float32', async () => {
    const env = { ...machine(), CUDA_VISIBLE_DEVICES: '' };
    const engine = { device: 'pjrt:cuda', precision: 'bfloat16', allowCpu: true } as const;
    const text = JSON.stringify({ data: { paths: 'x' }, engine });
    const run = await findRunEngine(resolveConfig(parseConfig(text, 'a'), { baseDir: '/' }).engine, env);
    expect(run.device).toBe('cpu');
    expect(run.notice).toMatch(/^Using the CPU: .*TensorFlow multiplies float32, not bfloat16\.$/);
  });

  test('on a GPU that only the plugin knows is recorded by the name that the plugin gives, never by the processor', () => {
    expect(deviceName({ device: 'pjrt:rocm' }, 'AMD Instinct MI300X')).toBe('AMD Instinct MI300X');
    expect(deviceName({ device: 'pjrt:rocm' })).toBe('pjrt:rocm');
    expect(deviceName({ device: 'pjrt:cuda', gpu: { name: 'NVIDIA H100' } }, 'other')).toBe('NVIDIA H100');
    expect(deviceName({ device: 'pjrt:cpu' }, 'cpu')).toBe(cpus()[0]?.model);
  });

  test('where no GPU may be used takes the CPU only where that is allowed', async () => {
    const env = { ...machine(), CUDA_VISIBLE_DEVICES: '' };
    await expect(chooseDevice('cuda', { env })).rejects.toThrow(/CUDA_VISIBLE_DEVICES=""/);
    expect((await chooseDevice('cuda', { env, allowCpu: true })).device).toBe('cpu');
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rejection, sandbox } from './fixtures.ts';
import { chooseDevice, cudaObstacle, detectGpus, type GpuOptions } from './gpu.ts';

/** A simulated machine: programs on the PATH, and NVIDIA's folder in /proc. */
function machine(smi?: string, smiFolder = 'bin'): GpuOptions & { proc: string } {
  const box = sandbox();
  if (smi) {
    mkdirSync(join(box.folder, smiFolder), { recursive: true });
    box.program(`../${smiFolder}/nvidia-smi`, smi);
  }
  return { env: box.env, proc: join(box.folder, 'proc'), smiFolders: [join(box.folder, 'wsl')] };
}

const twoGpus = (driver: string): string =>
  `if (!process.argv[2].startsWith('--query-gpu=index,name,memory.total,driver_version')) process.exit(2);
   console.log('0, NVIDIA H100 80GB HBM3, 81559, ${driver}\\n1, NVIDIA GeForce RTX 3060, 12288, ${driver}');`;

test('nvidia-smi tells names, memory and driver', async () => {
  expect(await detectGpus(machine(twoGpus('575.57.08')))).toEqual({
    driver: '575.57.08',
    gpus: [
      { index: 0, name: 'NVIDIA H100 80GB HBM3', memoryMiB: 81559 },
      { index: 1, name: 'NVIDIA GeForce RTX 3060', memoryMiB: 12288 },
    ],
  });
});

test('it is found where WSL keeps it', async () => {
  expect((await detectGpus(machine(twoGpus('560.1'), 'wsl'))).gpus).toHaveLength(2);
});

test.each([
  ['NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023', '535.129.03'],
  ['NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  575.57.08  Release Build  (dvs-builder)', '575.57.08'],
])('without nvidia-smi the kernel module is asked: %s', async (version, driver) => {
  const options = machine();
  mkdirSync(join(options.proc, 'gpus', '0000:01:00.0'), { recursive: true });
  writeFileSync(join(options.proc, 'version'), `${version}\nGCC version: gcc 12.3.0\n`);
  writeFileSync(
    join(options.proc, 'gpus', '0000:01:00.0', 'information'),
    'Model: \t\t NVIDIA A100-SXM4-40GB\nIRQ: 1\n',
  );
  const report = await detectGpus(options);
  expect(report).toMatchObject({ driver, gpus: [{ index: 0, name: 'NVIDIA A100-SXM4-40GB' }] });
  expect(cudaObstacle(report)).toBeUndefined();
});

test('no driver, no GPU: what was found is said, and the CPU is used only where it is allowed', async () => {
  const options = machine();
  const error = await rejection(chooseDevice('cuda', options));
  expect(error).toMatchObject({ code: 'engine' });
  expect(error.message).toMatch(/no NVIDIA GPU was found \(nvidia-smi was not found\)\n.*--allow-cpu/);
  expect(await chooseDevice('cuda', { ...options, allowCpu: true })).toMatchObject({
    device: 'cpu',
    notice: 'Using the CPU: no NVIDIA GPU was found (nvidia-smi was not found).',
  });
});

test('a driver that does not match its library', async () => {
  const options = machine(
    `console.log('Failed to initialize NVML: Driver/library version mismatch'); process.exit(18);`,
  );
  mkdirSync(join(options.proc, 'gpus'), { recursive: true });
  writeFileSync(join(options.proc, 'version'), 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.1  Thu');
  const { message } = await rejection(chooseDevice('cuda', options));
  expect(message).toContain('NVIDIA driver 535.1 is installed, but no NVIDIA GPU was found');
  expect(message).toContain('Driver/library version mismatch');
});

test('a driver that is too old is named beside the one that is needed', async () => {
  const old = machine(twoGpus('470.256.02'));
  const { message } = await rejection(chooseDevice('cuda', old));
  expect(message).toMatch(
    /H100.*RTX 3060 has NVIDIA driver 470\.256\.02, but CUDA 12\.9 needs 525\.60\.13 or newer\n.*575.*cuda-compat-12-9/,
  );
  const { device, notice } = await chooseDevice('cuda', { ...old, allowCpu: true });
  expect(device).toBe('cpu');
  expect(notice).toContain('470.256.02');
});

test.each(['525.60.13', '535.54', '580.1'])('driver %s is new enough', async (driver) => {
  expect((await chooseDevice('cuda', machine(twoGpus(driver)))).device).toBe('cuda');
});

test.each(['525.60.11', '525.5', '418.1'])('driver %s is not', async (driver) => {
  await expect(chooseDevice('cuda', machine(twoGpus(driver)))).rejects.toThrow(driver);
});

test('for the CPU it asks nobody', async () => {
  expect(await chooseDevice('cpu', machine(`process.exit(1)`))).toEqual({ device: 'cpu' });
});

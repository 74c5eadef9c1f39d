import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { gpuUse, parseUse } from './gpuUse.ts';
import { ownerOfProcess } from './owners.ts';

it('reads use, memory, temperature and processes of each GPU', () => {
  const gpus = [
    '0, GPU-a, 37, 12288, 81559, 41, NVIDIA H100 80GB HBM3',
    '1, GPU-b, [N/A], 0, 12288, [Not Supported], NVIDIA GeForce RTX 3060, OEM',
    '',
  ].join('\n');
  const apps = 'GPU-a, 4711, 12000, /usr/bin/node\nGPU-a, 12, [N/A], python3\n';
  const MiB = 2 ** 20;
  expect(parseUse(gpus, apps)).toEqual([
    {
      ...{ index: 0, name: 'NVIDIA H100 80GB HBM3', use: 0.37, temperature: 41 },
      memory: { used: 12288 * MiB, total: 81559 * MiB },
      holders: [
        { pid: 4711, program: 'node', memory: 12000 * MiB },
        { pid: 12, program: 'python3', memory: null },
      ],
    },
    {
      ...{ index: 1, name: 'NVIDIA GeForce RTX 3060, OEM', use: null, temperature: null },
      memory: { used: 0, total: 12288 * MiB },
      holders: [],
    },
  ]);
  expect(parseUse('No devices were found\n', '')).toEqual([]);
});

it('says why there is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'um-smi-'));
  mkdirSync(join(folder, 'none'));
  expect(await gpuUse({ PATH: join(folder, 'none') })).toEqual({ gpus: [], problem: 'nvidia-smi was not found' });
  writeFileSync(join(folder, 'nvidia-smi'), '#!/bin/sh\necho "Failed to initialize NVML"\nexit 18\n', { mode: 0o755 });
  const { problem } = await gpuUse({ PATH: `${folder}:/usr/bin:/bin` });
  expect(problem).toBe('nvidia-smi: Failed to initialize NVML');
});

it('names the user of a process', async () => {
  expect(await ownerOfProcess(process.pid)).toBe(userInfo().username);
  expect(await ownerOfProcess(process.pid, '/proc', '/nowhere')).toBe(String(process.getuid?.()));
  expect(await ownerOfProcess(2 ** 22 + 1)).toBeNull();
});

import { expect, test } from 'vitest';
// @ts-expect-error a script without types
import { commandsOf, failures, matrixTable, measureMatrix, peakOf } from './benchMatrix.mjs';

const options = { cases: ['tiny-2D'], batches: [2], precisions: ['float32'], variants: ['eager', 'compiled'] };

test('each side is measured in turns; the fastest step and the largest peak count, and what failed says why', () => {
  const times: Record<string, number[]> = { ours: [10, 8], eager: [30, 24] };
  const asked: string[] = [];
  const measure = (side: string, args: string[]) => {
    const name = args.includes('--compile') ? 'compiled' : side === 'ours' ? 'ours' : 'eager';
    asked.push(name);
    if (name === 'compiled') throw new Error('Traceback\ntorch.OutOfMemoryError: CUDA out of memory');
    const card = 'NVIDIA H100 80GB HBM3';
    return { minMs: times[name]?.shift(), deviceMiB: asked.length, gflop: 800, card, torch: '2' };
  };
  const rows = measureMatrix({ ...options, device: 'pjrt:cuda', steps: 5, rounds: 2, measure, told: () => undefined });
  expect(asked).toEqual(['ours', 'eager', 'compiled', 'ours', 'eager']);
  const [, , row] = matrixTable(rows).split('\n');
  // 800 GFLOP in 8 ms are 100 TFLOP/s, of 494.7.
  expect(row).toBe('| tiny 2D | 2 | float32 | 8.0 | 250.0 | 24.0 | – | 3.00 | 4 | 5 | 100.00 | 20.2 % |');
  expect(failures(rows)).toEqual(['tiny-2D, batch 2, float32, compiled: torch.OutOfMemoryError: CUDA out of memory']);
});

test('TensorFlow is measured where it is asked for, in float32', () => {
  const measure = (_side: string, args: string[]) => ({ minMs: args.includes('pjrt:cpu') ? 8 : 4, peakMiB: 10 });
  const processor = {
    ...options,
    variants: ['eager'],
    precisions: ['float32', 'bfloat16'],
    device: 'pjrt:cpu',
    tensorflow: true,
  };
  const rows = measureMatrix({ ...processor, steps: 5, rounds: 1, measure, told: () => undefined });
  const [head, , first, second] = matrixTable(rows).split('\n');
  expect(head).toMatch(/\| images\/s \| TensorFlow, ms \| PyTorch eager, ms \|/);
  expect(first).toMatch(/^\| tiny 2D \| 2 \| float32 \| 8.0 \| 250.0 \| 4.0 \| 4.0 \| 0.50 \|/);
  expect(second).toMatch(/^\| tiny 2D \| 2 \| bfloat16 \| 8.0 \| 250.0 \| – \| 4.0 \|/);
});

test('PyTorch gets the same device and precision', () => {
  const given = { name: 'small-3D', batch: 8, steps: 5, variants: ['eager', 'compiled'] };
  const cuda = commandsOf({ ...given, device: 'pjrt:cuda', precision: 'float32' });
  expect(cuda.ours.join(' ')).toBe(
    '--arch small --phase 3D --batch 8 --steps 5 --device pjrt:cuda --precision float32',
  );
  expect(cuda.torch.compiled.join(' ')).toContain('--fused --device cuda --tf32 --compile');
  const cpu = commandsOf({ ...given, device: 'pjrt:cpu', precision: 'bfloat16' });
  expect(cpu.torch.eager.join(' ')).toContain('--fused --device cpu --threads 2 --bf16');
});

test('nothing is measured without a case, or beside a PyTorch that has no such device', () => {
  const measure = () => expect.unreachable();
  const given = { ...options, steps: 5, rounds: 1, measure, told: () => undefined };
  expect(() => measureMatrix({ ...given, cases: [], device: 'pjrt:cuda' })).toThrow('--only takes tiny-2D');
  expect(() => measureMatrix({ ...given, device: 'pjrt:oneapi' })).toThrow('PyTorch beside pjrt:oneapi');
  const rocm = commandsOf({ ...given, name: 'tiny-2D', batch: 2, device: 'pjrt:rocm', precision: 'float32' });
  expect(rocm.torch.eager.join(' ')).toContain('--device cuda --tf32');
});

test('peaks of cards', () => {
  expect(peakOf('NVIDIA H200', 'bfloat16')).toBe(989.4);
  expect(peakOf('NVIDIA A100-SXM4-80GB', 'float32')).toBe(156);
  expect(peakOf('NVIDIA H100 PCIe', 'float32')).toBe(378);
  expect(peakOf('cpu', 'float32')).toBeUndefined();
});

import { parseArgs } from 'node:util';
import { Random } from '../../daemon/data/random.ts';
import type { Executor } from '../../daemon/engine/index.ts';
import { presets } from '../../daemon/model/config.ts';
import { createFineTuneState, createFineTuneStep, type Problem } from '../../daemon/train/finetune/index.ts';
import { testEngine } from '../engine.ts';

/**
 * One fine-tuning step of ours, timed as `torch_downstream.py bench` times PyTorch's: random images, labels and weights. Prints one
 * JSON line: milliseconds of the fastest and the median step after warm-up, peak resident memory in MiB.
 */
const { values } = parseArgs({
  options: {
    task: { type: 'string', default: 'segmentation' },
    arch: { type: 'string', default: 'tiny' },
    size: { type: 'string', default: '48,192,192' },
    batch: { type: 'string', default: '2' },
    channels: { type: 'string', default: '1' },
    classes: { type: 'string', default: '14' },
    warmup: { type: 'string', default: '1' },
    steps: { type: 'string', default: '3' },
    executor: { type: 'string', default: 'graph' },
  },
});
const task = values.task as 'segmentation' | 'classification';
const size = values.size.split(',').map(Number);
const [batch, channels, outputs] = [Number(values.batch), Number(values.channels), Number(values.classes)];
const modality = size.length === 2 ? '2D' : '3D';
const backbone = {
  ...presets[values.arch as keyof typeof presets],
  [modality === '2D' ? 'size2D' : 'size3D']: size,
};
const problem: Problem =
  task === 'segmentation'
    ? { task, labels: 'exclusive', ignore: false, batchDice: true, deepSupervision: true }
    : { task, labels: 'exclusive' };

const engine = await testEngine();
const model = { task, modality, backbone, channels, outputs } as const;
const state = createFineTuneState(engine, { model, optimizer: { kind: 'adamW' } }, 0);
const executor = values.executor as Executor;
const step = createFineTuneStep(engine, state, { problem, batch, executor, clipGradient: 12 });

const voxels = size.reduce((all, n) => all * n, batch);
const random = new Random(0, 'bench');
const images = Float32Array.from({ length: voxels * channels }, () => random.normal());
const labels = Int32Array.from({ length: task === 'segmentation' ? voxels : batch }, () =>
  Math.floor(random.uniform() * outputs),
);
const times: number[] = [];
const warmup = Number(values.warmup);
for (let i = 0; i < warmup + Number(values.steps); i++) {
  const begin = performance.now();
  await step.run({ images, labels, learningRate: 1e-4, weightDecay: 5e-4 });
  if (i >= warmup) times.push(performance.now() - begin);
}
times.sort((a, b) => a - b);
const round = (x: number) => Math.round(10 * x) / 10;
console.log(
  JSON.stringify({
    task,
    arch: values.arch,
    size,
    batch,
    classes: outputs,
    executor,
    minMs: round(times[0]!),
    medianMs: round(times[times.length >> 1]!),
    peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
process.exit(0);

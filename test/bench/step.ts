import { parseArgs } from 'node:util';
import { Random } from '../../daemon/data/random.ts';
import { type Engine, type Executor, openEngine } from '../../daemon/engine/index.ts';
import { locateEngine } from '../../daemon/engine/install/index.ts';
import { ModuleWriter } from '../../daemon/engine/pjrt/moduleWriter.ts';
import { presets } from '../../daemon/model/config.ts';
import { createPretrainState, createPretrainStep } from '../../daemon/train/pretrain/index.ts';
import { engineDevices, enginePrecisions } from '../../protocol/config/devices.ts';
import type { Modality } from '../../protocol/modality.ts';
import { productFlops } from './flops.ts';

/**
 * One UniMiSS pre-training step of ours, timed as torch_step.py times PyTorch's: random images and weights, two steps of
 * warm-up, then `--steps` measured, called as a training calls them: the next one before the last has ended, where the engine queues.
 * Prints one JSON line: milliseconds of the fastest and the median step, peak memory in MiB, resident and of the device, and the
 * floating-point operations of the step's products.
 */
const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: 'small' },
    phase: { type: 'string', default: '3D' },
    batch: { type: 'string', default: '2' },
    'out-dim': { type: 'string', default: '65536' },
    steps: { type: 'string', default: '5' },
    executor: { type: 'string', default: 'graph' },
    device: { type: 'string', default: 'cpu' },
    precision: { type: 'string', default: 'float32' },
  },
});
const phase = values.phase as Modality;
const preset = presets[values.arch as keyof typeof presets];
const config = { ...preset, head: { ...preset.head, out: Number(values['out-dim']) } };
const batch = Number(values.batch);

/** The installed engine for a device, with two threads of each kind. */
async function engineFor(name: string): Promise<Engine> {
  const wanted = engineDevices.find((device) => device === name);
  if (!wanted) throw new Error(`--device: ${name} is none of ${engineDevices.join(', ')}`);
  const { library, device, preload } = await locateEngine(wanted);
  const precision = enginePrecisions.find((each) => each === values.precision);
  if (!precision) throw new Error(`--precision: ${values.precision} is none of ${enginePrecisions.join(', ')}`);
  return openEngine({ library, device, preload, precision });
}

let flops = 0;
const { finish } = ModuleWriter.prototype;
ModuleWriter.prototype.finish = function (...args) {
  const module = finish.apply(this, args);
  flops += productFlops(module.text);
  return module;
};
const engine = await engineFor(values.device);
const state = createPretrainState(engine, config, 0);
const step = createPretrainStep(engine, state, { phase, batch, executor: values.executor as Executor });
const viewLength = step.options.size.reduce((all, n) => all * n, phase === '2D' ? 3 : 1);
const random = new Random(0, 'bench');
const views = Float32Array.from({ length: 2 * batch * viewLength }, () => random.uniform());
const rates = { learningRate: 1e-4, weightDecay: 0.04, momentum: 0.996, teacherTemperature: 0.04 };

const times: number[] = [];
const steps = Number(values.steps);
let running: Promise<unknown> = Promise.resolve();
let last = performance.now();
const timed = async (ending: Promise<unknown>, i: number) => {
  await ending;
  const now = performance.now();
  if (i >= 2) times.push(now - last);
  last = now;
};
for (let i = 0; i < 2 + steps; i++) {
  const before = running;
  running = step.run({ views, ...rates, lastLayerFrozen: false });
  if (!engine.queues) await timed(running, i);
  else if (i > 0) await timed(before, i - 1);
}
if (engine.queues) await timed(running, 1 + steps);
times.sort((a, b) => a - b);
const round = (x: number) => Math.round(10 * x) / 10;
const [minMs, medianMs] = [round(times[0]!), round(times[times.length >> 1]!)];
const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(
  JSON.stringify({
    arch: values.arch,
    phase,
    batch,
    outDim: config.head.out,
    executor: values.executor,
    device: values.device,
    precision: values.precision,
    imagesPerSecond: round((1000 * batch) / minMs),
    card: engine.devices[0]?.type,
    deviceMiB: engine.memory && Math.round((engine.memory.peak ?? engine.memory.inUse) / 2 ** 20),
    ...(flops > 0 && { gflop: round(flops / 1e9) }),
    minMs,
    medianMs,
    peakMiB,
  }),
);
process.exit(0);

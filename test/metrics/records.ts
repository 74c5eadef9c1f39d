import { encode } from 'fast-png';
import { pngDataUri } from '../../daemon/evaluate/report/report.ts';
import type { Preview } from '../../protocol/metrics/page.ts';
import type { Modality } from '../../protocol/modality.ts';
import type { EpochRecord, RunRecord, StepRecord } from '../../protocol/records/records.ts';
import { lossTerms } from '../../protocol/records/series.ts';

/** Repeatable noise in [−1, 1) for made-up records (a 32-bit mix of the index). */
function noise(i: number): number {
  let h = Math.imul(i ^ 0x9e3779b9, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
}

export interface MadeUpRun {
  steps: number;
  stepsPerEpoch: number;
  /** Epochs of a phase in a row. */
  interval?: number;
  seed?: number;
  rate?: number;
  /** Epoch from which on the features collapse. */
  collapseFrom?: number;
}

/** Records like those of a two-phase run: loss, rates and speed of each step, signs of collapse of each epoch, events. */
export function madeUpRecords(run: MadeUpRun): RunRecord[] {
  const { steps, stepsPerEpoch, interval = 2, seed = 0 } = run;
  const records: RunRecord[] = [];
  let clock = Date.UTC(2026, 10, 23, 9, 0, 0) + seed * 3_600_000;
  const time = () => new Date(clock).toISOString();
  records.push({
    kind: 'event',
    event: 'start',
    message: 'Training starts with preset nano on the CPU.',
    step: 0,
    time: time(),
  });
  for (let i = 0; i < steps; i++) {
    const epoch = Math.floor(i / stepsPerEpoch);
    const phase = Math.floor(epoch / interval) % 2 === 0 ? '2D' : '3D';
    const record = madeUpStep({ step: i, epoch, phase, time: time() }, run);
    clock += record.stepMs + record.waitMs;
    records.push(record);
    if ((i + 1) % stepsPerEpoch !== 0) continue;
    records.push(madeUpEpoch({ step: i, epoch, phase, time: time() }, run));
    records.push({
      kind: 'event',
      event: 'checkpoint',
      message: `Checkpoint of epoch ${epoch} saved.`,
      step: i + 1,
      epoch,
      time: time(),
    });
  }
  return records;
}

/** A place in a made-up run. */
interface MadeUpPlace {
  readonly step: number;
  readonly epoch: number;
  readonly phase: Modality;
  readonly time: string;
}

function madeUpStep(
  { step: i, epoch, phase, time }: MadeUpPlace,
  { steps, seed = 0, rate = 1 }: MadeUpRun,
): StepRecord {
  const done = i / steps;
  const n = (k: number) => noise(i * 16 + k + seed * 7919);
  const level = 3.1 + 3.6 * Math.exp((-i * rate * 3.2) / Math.max(300, steps * 0.4)) + 0.9 * (1 - done);
  const term = (k: number) => level + 0.25 * n(k) + 0.12 * k * (1 - done);
  const terms = phase === '2D' ? [term(0)] : [term(0), term(1), term(2), term(3)];
  const warm = steps * 0.05;
  const stepMs = (phase === '2D' ? 210 : 640) * (1 + 0.05 * n(5));
  const waitMs = Math.max(0, 4 + 6 * n(6)) + (n(7) > 0.99 ? 180 : 0);
  return {
    kind: 'step',
    step: i,
    epoch,
    group: phase,
    loss: terms.reduce((a, b) => a + b, 0),
    values: {
      ...(phase === '3D' && Object.fromEntries(lossTerms['3D'].map((name, k) => [`term/${name}`, term(k)]))),
      learningRate:
        i < warm
          ? (rate * 2.5e-4 * i) / warm
          : 1e-6 + rate * 1.25e-4 * (1 + Math.cos((Math.PI * (i - warm)) / (steps - warm))),
      weightDecay: 0.4 - 0.18 * (1 + Math.cos(Math.PI * done)),
      momentum: 1 - 0.002 * (1 + Math.cos(Math.PI * done)),
      gradientNorm: (1.2 + 2.5 * Math.exp(-8 * done)) * (1 + 0.35 * n(8)) + (n(9) > 0.985 ? 4 : 0),
      imagesPerSecond: (8 * 1000) / (stepMs + waitMs),
    },
    stepMs,
    waitMs,
    rssMiB: 940 + 60 * Math.min(1, i / 40) + 3 * n(10),
    time,
  };
}

function madeUpEpoch(
  { epoch, phase, step, time }: MadeUpPlace,
  { steps, stepsPerEpoch, seed = 0, collapseFrom = Number.POSITIVE_INFINITY }: MadeUpRun,
): EpochRecord {
  const collapsed = epoch >= collapseFrom;
  const done = step / steps;
  const n = (k: number) => noise(epoch * 32 + k + seed * 131);
  return {
    kind: 'epoch',
    epoch,
    group: phase,
    step,
    steps: stepsPerEpoch,
    loss: 5 - done,
    seconds: stepsPerEpoch * 0.4,
    values: {
      teacherEntropy: collapsed ? 0.02 : 5.1 - 2.2 * done + 0.1 * n(1),
      klToUniform: collapsed ? 6.9 : 1.4 + 0.5 * done + 0.08 * n(2),
      featureStd: collapsed ? 0.004 : 0.07 + 0.05 * done + 0.004 * n(3),
      effectiveRank: collapsed ? 1.2 : 6 + 17 * done + 0.6 * n(4),
    },
    warnings: collapsed
      ? [
          {
            what: 'The teacher gives every image the same output: one of its 1,024 outputs has all the weight.',
            advice: 'Try a faster centre (center momentum 0.8) or a higher teacher temperature (0.06).',
          },
        ]
      : [],
    time,
  };
}

/** Previews that can be told apart: a disc whose size and place depend on step and view, and a strip of slices through a ball. */
export function madeUpPreviews(steps: readonly number[], stepsPerEpoch: number): Preview[] {
  return steps.flatMap((step, n): Preview[] => [
    {
      step,
      epoch: Math.floor(step / stepsPerEpoch),
      phase: '2D',
      images: [0, 1, 2, 3].map((k) => ({
        name: `chest-${k + 1}.png`,
        views: [disc(64, k + n), disc(64, k + n + 1.5)],
      })),
    },
    {
      step,
      epoch: Math.floor(step / stepsPerEpoch),
      phase: '3D',
      images: [0, 1].map((k) => ({
        name: `volume-${k + 1}.nii.gz`,
        views: [strip(48, 16, k + n), strip(48, 16, k + n + 2)],
        slices: 16,
      })),
    },
  ]);
}

function disc(size: number, k: number): string {
  const data = new Uint8Array(size * size);
  const [cx, cy, r] = [
    size * (0.5 + 0.12 * Math.sin(k)),
    size * (0.5 + 0.12 * Math.cos(2 * k)),
    size * (0.3 + 0.05 * Math.sin(3 * k)),
  ];
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const d = Math.hypot(x - cx, (y - cy) * 1.2) / r;
      data[y * size + x] = d < 1 ? 90 + 120 * (1 - d) + 12 * noise(x * 71 + y) : 20 + 8 * noise(x + y * 57);
    }
  return pngDataUri(encode({ width: size, height: size, data, channels: 1, depth: 8 }));
}

function strip(size: number, slices: number, k: number): string {
  const width = size * slices;
  const data = new Uint8Array(width * size);
  for (let s = 0; s < slices; s++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const z = (s - slices / 2 + Math.sin(k)) / (slices / 2);
        const d = Math.hypot((x - size / 2) / (size * 0.42), (y - size / 2) / (size * 0.34), z * 0.8);
        const organ = Math.hypot((x - size * 0.62) / size, (y - size * 0.45) / size, z * 0.3) < 0.14;
        data[y * width + s * size + x] = Math.max(0, d < 1 ? (organ ? 200 : 120) + 14 * noise(x * 31 + y * 7 + s) : 12);
      }
  return pngDataUri(encode({ width, height: size, data, channels: 1, depth: 8 }));
}

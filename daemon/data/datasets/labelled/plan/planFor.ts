import type { Channel } from '../../../../../protocol/config/finetune/index.ts';
import { type PresetName, smallestSide, strides } from '../../../../../protocol/config/pretrain/presets.ts';
import { memoryOf, type StepSize, secondsOf } from './cost.ts';
import type { ChannelStatistics, Fingerprint, PerAxis } from './fingerprint.ts';
import type { Machine } from './machine.ts';

/** What a configuration needs to know of a data set and a machine. */
export interface DataPlan {
  readonly spacing: PerAxis | null;
  /** [height, width] or [slices, height, width]. */
  readonly patch: readonly number[];
  readonly fit: 'crop' | 'resize';
  readonly channels: readonly Channel[];
  readonly batch: number;
  readonly epochs: number;
  /** null: as many as the training cases make. */
  readonly stepsPerEpoch: number | null;
  /** Whether left and right are different labels, so that images must not be mirrored. */
  readonly sided: boolean;
  readonly estimate: {
    /** Peak, bytes. */
    readonly memory: number;
    /** null: on a GPU. */
    readonly secondsPerStep: number | null;
    readonly hours: number | null;
  };
  /** Whether even the smallest patch and batch are likely to need more memory than there is. */
  readonly tight: boolean;
}

export interface PlanOptions {
  readonly preset?: PresetName;
  readonly folds?: number;
  /** What a preset of a data set fixes. */
  readonly fixed?: Partial<
    Pick<DataPlan, 'spacing' | 'patch' | 'fit' | 'channels' | 'batch' | 'epochs' | 'stepsPerEpoch'>
  >;
}

/** The reference's patches and batches, which are the largest that are planned. */
const largest = {
  'segmentation-3D': { patch: [48, 192, 192], batch: 2, stepsPerEpoch: 250 },
  'segmentation-2D': { patch: [224, 224], batch: 8, stepsPerEpoch: 250 },
  'classification-3D': { patch: [64, 128, 128], batch: 8, stepsPerEpoch: null },
  'classification-2D': { patch: [224, 224], batch: 8, stepsPerEpoch: null },
} as const;
/** Share of a machine's memory that a training may take; the loader's threads and others need the rest. */
const memoryShare = 0.7;
const epochs = 100;

/**
 * Derives from a fingerprint what training needs, for a machine: target spacing, patch, batch, normalisation, and an estimate of memory and time.
 * Patches are multiples of the network's strides; 3D segmentation sees a part of the image that is about as long in mm along each axis
 * and no larger than the image; whatever else is resized as a whole. Where memory does not allow it the batch becomes smaller, then the patch.
 */
export function planFor(fingerprint: Fingerprint, machine: Machine, options: PlanOptions = {}): DataPlan {
  const { preset = 'tiny', folds = 5, fixed = {} } = options;
  const { problem, modality, labels, target } = fingerprint;
  const kind = `${problem}-${modality}` as const;
  const crops = kind === 'segmentation-3D' && fixed.fit !== 'resize';
  const spacing = fixed.spacing === undefined ? (crops && target ? target.spacing : null) : fixed.spacing;
  const most = largest[kind].patch.reduce((product, side) => product * side, 1);
  const classes = labels.length + (fingerprint.exclusive ? 0 : 1);
  const available = memoryShare * (machine.gpu?.memory ?? machine.memory);
  const stepOf = (patch: readonly number[], batch: number): StepSize => ({
    problem,
    modality,
    preset,
    patch,
    batch,
    classes,
  });
  const fits = (patch: readonly number[], batch: number) => memoryOf(stepOf(patch, batch)) <= available;

  const trained = Math.max(1, Math.floor((fingerprint.cases * (folds - 1)) / folds));
  let batch = fixed.batch ?? Math.min(largest[kind].batch, crops ? largest[kind].batch : trained);
  let patch: readonly number[] =
    fixed.patch ?? (crops && target ? croppedPatch(target.size, spacing ?? target.spacing, most) : largest[kind].patch);
  while (batch > 1 && !fits(patch, batch)) batch--;
  while (!fits(patch, batch)) {
    const smaller = reduced(patch, crops && spacing ? spacing : patch.map(() => 1));
    if (!smaller) break;
    patch = smaller;
  }

  const stepsPerEpoch = fixed.stepsPerEpoch === undefined ? largest[kind].stepsPerEpoch : fixed.stepsPerEpoch;
  const secondsPerStep = secondsOf(stepOf(patch, batch), machine);
  const steps = (fixed.epochs ?? epochs) * (stepsPerEpoch ?? Math.max(1, Math.ceil(trained / batch)));
  return {
    spacing,
    patch,
    fit: fixed.fit ?? (crops ? 'crop' : 'resize'),
    channels: fixed.channels ?? fingerprint.channels.map((channel) => normalized(channel, fingerprint)),
    batch,
    epochs: fixed.epochs ?? epochs,
    stepsPerEpoch,
    sided: labels.some(({ name }) => /(^|[\s_-])(left|right)($|[\s_-])/i.test(name)),
    estimate: {
      memory: memoryOf(stepOf(patch, batch)),
      secondsPerStep,
      hours: secondsPerStep === null ? null : (steps * secondsPerStep) / 3600,
    },
    tight: !fits(patch, batch),
  };
}

const step3D = strides['3D'];
const least3D: PerAxis = [step3D[0], smallestSide, smallestSide];

/** From the whole median image, the axis that is longest in mm gets shorter until at most `most` voxels are left. */
function croppedPatch(size: PerAxis, spacing: PerAxis, most: number): readonly number[] {
  let patch: readonly number[] = size.map((voxels, axis) =>
    Math.max(least3D[axis]!, Math.ceil(Math.round(voxels) / step3D[axis]!) * step3D[axis]!),
  );
  while (patch.reduce((product, side) => product * side, 1) > most) {
    const smaller = reduced(patch, spacing);
    if (!smaller) break;
    patch = smaller;
  }
  return patch;
}

/** A patch one stride shorter along the axis that is longest in mm; undefined: it is the smallest. */
function reduced(patch: readonly number[], spacing: readonly number[]): readonly number[] | undefined {
  const [step, least] = patch.length === 2 ? [strides['2D'], [smallestSide, smallestSide]] : [step3D, least3D];
  const free = patch.flatMap((side, axis) => (side - step[axis]! >= least[axis]! ? [axis] : []));
  const length = (axis: number) => patch[axis]! * spacing[axis]!;
  const [first, ...others] = free;
  if (first === undefined) return undefined;
  const longest = others.reduce((best, axis) => (length(axis) > length(best) ? axis : best), first);
  return patch.map((side, axis) => (axis === longest ? side - step[axis]! : side));
}

/** CT: clipped to the foreground's percentiles, then z-score of the foreground; others: each image by its own; pictures: 0–1. */
function normalized({ name, ct, low, high, mean, deviation }: ChannelStatistics, { modality }: Fingerprint): Channel {
  const short = name.slice(0, 64);
  if (modality === '2D') return { name: short, normalization: { scheme: 'divide', by: 255 } };
  if (!ct || !(deviation > 0) || low >= high) return { name: short, normalization: { scheme: 'zScore' } };
  const round = (value: number) => +value.toFixed(2);
  return {
    name: short,
    normalization: {
      scheme: 'clip',
      range: [round(low), round(high)],
      mean: round(mean),
      deviation: Math.max(0.01, round(deviation)),
    },
  };
}

import type { Modality } from '../../../../../protocol/modality.ts';
import type { Size3 } from '../../../prepared/types.ts';
import type { CaseMeasure } from '../measure/caseMeasure.ts';
import { ctChannels } from '../measure/ct.ts';
import { labelledCases } from '../split/split.ts';
import type { LabelledDataset } from '../types.ts';

/** A number for each axis: [slices, height, width]. */
export type PerAxis = readonly [number, number, number];

export interface Spread {
  readonly min: PerAxis;
  readonly median: PerAxis;
  readonly max: PerAxis;
}

/** Intensities of a channel, in the foreground where there are labels. */
export interface ChannelStatistics {
  readonly name: string;
  readonly ct: boolean;
  readonly mean: number;
  readonly deviation: number;
  /** Percentiles 0.5 and 99.5. */
  readonly low: number;
  readonly high: number;
}

export interface LabelStatistics {
  readonly name: string;
  /** Cases that have it. */
  readonly cases: number;
  /** Mean over these, in ml; null: classification, pictures, and volumes without spacing. */
  readonly milliliters: number | null;
  /** Share of the labelled voxels; classification: share of the cases. */
  readonly share: number;
}

/** What a data set is like: everything that a plan is derived from. */
export interface Fingerprint {
  readonly problem: LabelledDataset['problem'];
  readonly modality: Modality;
  readonly exclusive: boolean;
  /** Labelled cases that can be used, and of how many patients. */
  readonly cases: number;
  readonly patients: number;
  /** Voxels along [slices, height, width]. */
  readonly size: Spread;
  /** mm; null: pictures, or no volume has a usable spacing. */
  readonly spacing: Spread | null;
  /** Spacing and size that nnU-Net's rule takes as the target (`targetSpacing`); null as `spacing`. */
  readonly target: { readonly spacing: PerAxis; readonly size: PerAxis } | null;
  readonly channels: readonly ChannelStatistics[];
  readonly labels: readonly LabelStatistics[];
}

/** The fingerprint of measured cases. Cases that are broken, or have no label, do not count. */
export function fingerprintOf(dataset: LabelledDataset, measures: readonly CaseMeasure[]): Fingerprint {
  const { problem, modality, exclusive, channels, labels } = dataset;
  const known = new Map(labelledCases(dataset).map((one) => [one.id, one]));
  const used = measures.filter(({ id, files, broken, misplaced }) => {
    return known.has(id) && files.length > 0 && broken.length === 0 && !misplaced.some(({ fatal }) => fatal);
  });
  const firsts = used.flatMap(({ files: [file] }) => file ?? []);
  const spacings = firsts.flatMap(({ spacing }) => (spacing ? [spacing] : []));
  const target = targetSpacing(firsts);
  const ct = ctChannels(dataset, measures);
  const share = (number: number) => shareOf(dataset, used, number);
  return {
    problem,
    modality,
    exclusive,
    cases: used.length,
    patients: new Set(used.map(({ id }) => known.get(id)?.patient)).size,
    size: spreadOf(firsts.map(({ size }) => size)),
    spacing: spacings.length > 0 ? spreadOf(spacings) : null,
    target,
    channels: channels.map((name, i) => ({
      name,
      ct: ct[i] === true,
      ...statisticsOf(used.flatMap(({ channels: own }) => own[i]?.sample ?? [])),
    })),
    labels: labels.map(({ name }, number) => ({ name, ...share(number) })),
  };
}

/** More than this factor between spacings, and between sizes, makes slices thick: then finer slices than the median are aimed at. */
const anisotropy = 3;

/**
 * The spacing that images are resampled to, and the median size in it: the median of each axis, but where slices are thick and few, the
 * 10th percentile along them, though not below the other spacings (nnU-Net, Isensee et al. 2021).
 */
function targetSpacing(
  files: readonly { readonly size: Size3; readonly spacing: PerAxis | null }[],
): { spacing: PerAxis; size: PerAxis } | null {
  const known = files.flatMap(({ size, spacing }) => (spacing ? [{ size, spacing }] : []));
  if (known.length === 0) return null;
  const sizesIn = (spacing: PerAxis) =>
    perAxis((axis) =>
      quantile(
        known.map((one) => (one.size[axis] * one.spacing[axis]) / spacing[axis]),
        0.5,
      ),
    );
  const median = perAxis((axis) =>
    quantile(
      known.map(({ spacing }) => spacing[axis]),
      0.5,
    ),
  );
  const size = sizesIn(median);
  const worst = ([0, 1, 2] as const).reduce((most, axis) => (median[axis] > median[most] ? axis : most));
  const others = ([0, 1, 2] as const).filter((axis) => axis !== worst);
  const coarsest = Math.max(...others.map((axis) => median[axis]));
  const fewest = Math.min(...others.map((axis) => size[axis]));
  const thick = median[worst] > anisotropy * coarsest && size[worst] * anisotropy < fewest;
  const fine = quantile(
    known.map(({ spacing }) => spacing[worst]),
    0.1,
  );
  const chosen = perAxis((axis) => (thick && axis === worst ? Math.max(fine, coarsest) : median[axis]));
  const spacing = perAxis((axis) => +chosen[axis].toPrecision(3));
  return { spacing, size: sizesIn(spacing) };
}

function perAxis(value: (axis: 0 | 1 | 2) => number): PerAxis {
  return [value(0), value(1), value(2)];
}

function spreadOf(values: readonly PerAxis[]): Spread {
  const at = (share: number) =>
    perAxis((axis) =>
      quantile(
        values.map((one) => one[axis]),
        share,
      ),
    );
  return { min: at(0), median: at(0.5), max: at(1) };
}

/** With linear interpolation between the neighbours, as numpy does it. 0 of nothing. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? 0;
  return below + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] ?? 0) - below);
}

function statisticsOf(samples: readonly Float32Array[]): Omit<ChannelStatistics, 'name' | 'ct'> {
  const count = samples.reduce((sum, { length }) => sum + length, 0);
  const all = new Float32Array(count);
  let at = 0;
  for (const sample of samples) {
    all.set(sample, at);
    at += sample.length;
  }
  const mean = all.reduce((sum, value) => sum + value, 0) / Math.max(1, count);
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, count);
  return { mean, deviation: Math.sqrt(variance), low: quantile(all, 0.005), high: quantile(all, 0.995) };
}

function shareOf(
  dataset: LabelledDataset,
  used: readonly CaseMeasure[],
  number: number,
): Omit<LabelStatistics, 'name'> {
  if (dataset.problem === 'classification') {
    const ids = new Set(used.map(({ id }) => id));
    const cases = dataset.cases.filter(({ id, classes }) => ids.has(id) && classes?.includes(number)).length;
    return { cases, milliliters: null, share: cases / Math.max(1, used.length) };
  }
  const volumes: number[] = [];
  let [own, all, cases] = [0, 0, 0];
  for (const { label, files } of used) {
    const voxels = label?.voxels[number] ?? 0;
    const [file] = files;
    own += voxels;
    all += file ? file.size[0] * file.size[1] * file.size[2] : 0;
    if (voxels === 0) continue;
    cases++;
    if (file?.spacing) volumes.push((voxels * file.spacing[0] * file.spacing[1] * file.spacing[2]) / 1000);
  }
  const milliliters = volumes.length > 0 ? volumes.reduce((sum, ml) => sum + ml, 0) / volumes.length : null;
  return { cases, milliliters, share: own / Math.max(1, all) };
}

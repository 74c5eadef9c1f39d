import type { CaseStatus, ClassInCase } from '../../../protocol/evaluation/segmentation.ts';
import type { Convention } from './conventions.ts';
import { type ClassCounts, type LabelPair, valueTable } from './counts.ts';
import { type Box, diagonal, type EvaluatedClass, type Grid3, unionBox, voxelVolume } from './labelGrid.ts';
import { countLesions, type LesionCounts, lesionsOf } from './lesions.ts';
import { nearestDistances } from './nearest.ts';
import { type SurfaceMeasures, surfaceMeasures } from './surfaceMeasures.ts';
import { type BoxMask, cutMask, type SurfacePoints, surfaceVoxels } from './surfaceVoxels.ts';
import { surfels } from './surfels.ts';

export interface MeasureOptions {
  readonly convention: Convention;
  /** mm */
  readonly toleranceMm: number;
  /** Whether to count lesions. */
  readonly lesions: boolean;
}

/** What needs the voxels: everything but overlaps. Plain data, which threads can exchange. */
export interface VoxelMeasures {
  readonly surface: SurfaceMeasures | null;
  readonly lesions: LesionCounts | null;
}

/** Whether prediction and reference have the class. */
export function statusOf({ reference, predicted }: Pick<ClassCounts, 'reference' | 'predicted'>): CaseStatus {
  if (reference > 0) return predicted > 0 ? 'ok' : 'missed';
  return predicted > 0 ? 'false-positive' : 'both-empty';
}

/** Surface distances and lesions of a class in a case, within the box around both masks. */
export function measureVoxels(
  pair: LabelPair,
  counts: ClassCounts,
  values: readonly number[],
  grid: Grid3,
  options: MeasureOptions,
): VoxelMeasures {
  const box = unionBox(counts.referenceBox, counts.predictedBox);
  const needsSurface = statusOf(counts) === 'ok' && options.convention.surface !== null;
  if (!box || !(needsSurface || options.lesions)) return { surface: null, lesions: null };
  const table = valueTable(values);
  const cut = (which: 'reference' | 'prediction', part: Box) => cutMask(pair, which, table, grid, part);
  const [reference, prediction] = [cut('reference', box), cut('prediction', box)];
  return {
    surface: needsSurface ? measureSurface(reference, prediction, grid, options) : null,
    lesions: options.lesions ? countLesions(reference, prediction) : null,
  };
}

function measureSurface(
  reference: BoxMask,
  prediction: BoxMask,
  grid: Grid3,
  options: MeasureOptions,
): SurfaceMeasures | null {
  const { surface: rule } = options.convention;
  if (!rule) return null;
  const points = (mask: BoxMask): SurfacePoints =>
    rule.points === 'surfels' ? surfels(mask, grid.rank, grid.spacing) : surfaceVoxels(mask, grid.rank);
  const [r, p] = [points(reference), points(prediction)];
  const directed = (from: SurfacePoints, to: SurfacePoints) => ({
    distances: nearestDistances(from, to, grid.spacing),
    weights: from.weights,
  });
  return surfaceMeasures([directed(r, p), directed(p, r)], rule, options.toleranceMm);
}

/** All numbers of a class in a case. */
export function describeClass(
  one: EvaluatedClass,
  counts: ClassCounts,
  voxels: VoxelMeasures,
  grid: Grid3,
  options: MeasureOptions,
): ClassInCase {
  const status = statusOf(counts);
  const { convention } = options;
  const volume = voxelVolume(grid);
  const { reference, predicted } = counts;
  const own = values(counts, voxels, grid, convention, status);
  // Where a lesion-wise F1 has no lesion at all, it is undefined: as both-empty.
  const lesions = options.lesions
    ? (voxels.lesions ?? lesionsOf({ reference: 0, predicted: 0, found: 0, extra: 0 }))
    : null;
  return {
    class: one.name,
    status,
    referenceVoxels: reference,
    predictedVoxels: predicted,
    referenceVolume: reference * volume,
    predictedVolume: predicted * volume,
    ...own,
    volumeError: reference === 0 ? null : (predicted - reference) / reference,
    volumeErrorMl: status === 'both-empty' ? null : (predicted - reference) * volume,
    lesionF1: lesions?.f1 ?? null,
    lesions: lesions && {
      reference: lesions.reference,
      predicted: lesions.predicted,
      found: lesions.found,
      extra: lesions.extra,
    },
  };
}

function values(
  { reference, predicted, both }: ClassCounts,
  { surface }: VoxelMeasures,
  grid: Grid3,
  convention: Convention,
  status: CaseStatus,
) {
  if (status === 'ok')
    return {
      dice: (2 * both) / (reference + predicted),
      iou: both / (reference + predicted - both),
      hd95: surface?.hd95 ?? null,
      assd: surface?.assd ?? null,
      surfaceDice: convention.surfaceDice ? (surface?.surfaceDice ?? null) : null,
    };
  const { dice, iou, hd95, assd, surfaceDice } = convention.empty[status];
  const inMm = (value: number | 'diagonal' | null) => (value === 'diagonal' ? diagonal(grid) : value);
  return { dice: inMm(dice), iou: inMm(iou), hd95: inMm(hd95), assd: inMm(assd), surfaceDice: inMm(surfaceDice) };
}

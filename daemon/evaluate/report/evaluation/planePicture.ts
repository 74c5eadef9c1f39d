import type { LabelledPlane } from '../../../../protocol/evaluation/plane.ts';
import { agreementOf, toRuns, unknownLabel } from '../../../../protocol/evaluation/planeLabels.ts';
import type { SegmentationEvaluation } from '../../../../protocol/evaluation/segmentation.ts';

export interface PlaneSource {
  readonly title: string;
  /** [slices, rows, columns]; a picture has one slice. */
  readonly shape: readonly [number, number, number];
  /** mm, in the same order. */
  readonly spacing: readonly [number, number, number];
  /** Grey values, as many as voxels. */
  readonly image: ArrayLike<number>;
  /** Class numbers, 0: none. Of masks that overlap, choose one class. */
  readonly reference: ArrayLike<number>;
  readonly prediction: ArrayLike<number>;
  /** Value of the reference where it is not known. */
  readonly ignore?: number | null;
  /** Grey values that become black and white. Default: the 1st and 99th percentile of the slice. */
  readonly window?: readonly [low: number, high: number];
}

/** Voxels around the labels that a picture shows too, as a share of its size. */
const margin = 0.15;

/** The slice with most errors (or, without errors, most of the reference), cut to where the labels are. */
export function planePicture(source: PlaneSource): LabelledPlane {
  const { shape, spacing, ignore = null } = source;
  const [, rows, columns] = shape;
  const known = (i: number) =>
    ignore !== null && source.reference[i] === ignore ? unknownLabel : source.reference[i]!;
  const { slice, errors } = fullestSlice(shape, (i) => agreementOf(known(i), source.prediction[i]!));
  const base = slice * rows * columns;
  const [top, bottom, left, right] = cropOf(rows, columns, (i) => {
    const reference = known(base + i);
    return (reference !== 0 && reference !== unknownLabel) || source.prediction[base + i] !== 0;
  });
  const [height, width] = [bottom - top, right - left];
  const at = (i: number) => base + (top + Math.floor(i / width)) * columns + left + (i % width);
  const places = Array.from({ length: width * height }, (_, i) => at(i));
  const [low, high] = source.window ?? windowOf(source.image, base, rows * columns);
  const grey = Uint8Array.from(places, (i) =>
    Math.round(255 * Math.min(1, Math.max(0, (source.image[i]! - low) / (high - low)))),
  );
  const where = shape[0] > 1 ? `Slice ${slice + 1} of ${shape[0]}` : 'The picture';
  return {
    title: source.title,
    description: `${where}: ${errors.right} pixels right, ${errors.extra} extra, ${errors.missed} missed, ${errors.other} of another class.`,
    width,
    height,
    aspect: spacing[1] / spacing[2],
    grey: Buffer.from(grey).toString('base64'),
    reference: toRuns(places.map(known)),
    prediction: toRuns(places.map((i) => source.prediction[i]!)),
  };
}

type Counts = Record<'none' | 'right' | 'extra' | 'missed' | 'other', number>;

function fullestSlice(
  [depth, rows, columns]: PlaneSource['shape'],
  agreement: (i: number) => keyof Counts,
): { slice: number; errors: Counts } {
  let best: { slice: number; errors: Counts; score: readonly [number, number] } | undefined;
  for (let slice = 0; slice < depth; slice++) {
    const errors: Counts = { none: 0, right: 0, extra: 0, missed: 0, other: 0 };
    for (let i = slice * rows * columns; i < (slice + 1) * rows * columns; i++) errors[agreement(i)]++;
    const score = [errors.extra + errors.missed + errors.other, errors.right] as const;
    if (!best || score[0] > best.score[0] || (score[0] === best.score[0] && score[1] > best.score[1]))
      best = { slice, errors, score };
  }
  return best ?? { slice: 0, errors: { none: 0, right: 0, extra: 0, missed: 0, other: 0 } };
}

/** First and last row and column (exclusive) around what is labelled; everything where nothing is. */
function cropOf(rows: number, columns: number, labelled: (i: number) => boolean): [number, number, number, number] {
  let [top, bottom, left, right] = [rows, 0, columns, 0];
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      if (!labelled(y * columns + x)) continue;
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
    }
  if (bottom === 0) return [0, rows, 0, columns];
  // At least a third of the image, so that one sees where it is.
  const grow = (from: number, to: number, size: number): [number, number] => {
    const more = Math.ceil(Math.max(margin * (to - from), (size / 3 - (to - from)) / 2, 4));
    return [Math.max(0, from - more), Math.min(size, to + more)];
  };
  return [...grow(top, bottom, rows), ...grow(left, right, columns)];
}

function windowOf(image: ArrayLike<number>, base: number, length: number): [number, number] {
  const values = Float64Array.from({ length }, (_, i) => image[base + i]!).sort();
  const low = values[Math.floor(0.01 * (length - 1))] ?? 0;
  const high = values[Math.ceil(0.99 * (length - 1))] ?? 1;
  return high > low ? [low, high] : [low, low + 1];
}

/** Cases whose pictures are worth a look: the lowest and the highest mean Dice, each case once. */
export function worstAndBest(
  { cases }: Pick<SegmentationEvaluation, 'cases'>,
  each = 2,
): { worst: string[]; best: string[] } {
  const ranked = cases.filter((one) => one.dice !== null).sort((a, b) => (a.dice ?? 0) - (b.dice ?? 0));
  const worst = ranked.slice(0, each).map((one) => one.case);
  const best = ranked.slice(Math.max(worst.length, ranked.length - each)).map((one) => one.case);
  return { worst, best: best.toReversed() };
}

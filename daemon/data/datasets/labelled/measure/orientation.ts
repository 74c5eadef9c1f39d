import type { Finding, LabelClass } from '../types.ts';
import type { CaseMeasure, LabelMeasure } from './caseMeasure.ts';

/** Fewer voxels than this are too few to tell where a structure lies. */
const enoughVoxels = 50;
const word = /(^|[\s_-])(left|right|l|r)(?=$|[\s_-])/i;

/**
 * Structures of the left that lie to the right of their counterparts: the image, or its label, is mirrored, or its header is
 * wrong. Array columns go from the patient's right to the left.
 */
export function swappedSides(
  labels: readonly LabelClass[],
  { path, voxels, columns, affine }: LabelMeasure,
): Finding[] {
  if (!affine) return [];
  const pairs = labels.flatMap(({ name }, left) => {
    const [, , side] = word.exec(name) ?? [];
    if (side === undefined || !/^l/i.test(side)) return [];
    const mate = name.replace(word, (_, before: string, own: string) => `${before}${own.length > 1 ? 'right' : 'r'}`);
    const right = labels.findIndex((other) => other.name.toLowerCase() === mate.toLowerCase());
    return right < 0 ? [] : [{ left, right, name }];
  });
  const judged = pairs.filter(({ left, right }) => Math.min(voxels[left] ?? 0, voxels[right] ?? 0) >= enoughVoxels);
  const swapped = judged.filter(({ left, right }) => (columns[left] ?? 0) < (columns[right] ?? 0));
  if (swapped.length === 0 || swapped.length * 2 < judged.length) return [];
  return [
    {
      severity: 'warning',
      kind: 'orientation',
      place: path,
      what: `has “${swapped[0]?.name}” on the patient's right (as ${swapped.length} of ${judged.length} paired structures)`,
      remedy: 'Check whether image and label are mirrored, or their headers wrong.',
    },
  ];
}

/** Slices this much thicker than the other spacings show along which axis a volume was acquired. */
const clearlyThicker = 2;
const [enoughCases, most] = [5, 0.8];
/** Directions of the axes [slice, x, y] of an array. */
export const axisNames = ['head–feet', 'front–back', 'right–left'] as const;

/** Volumes whose thick axis is another one than that of nearly all others. */
export function unusualAxes(measures: readonly CaseMeasure[]): Finding[] {
  const thick = measures.flatMap(({ files }) => {
    const [file] = files;
    const axis = file?.spacing ? thickAxis(file.spacing) : undefined;
    return file && axis !== undefined ? [{ path: file.path, axis }] : [];
  });
  const usual = ([0, 1, 2] as const).find(
    (axis) => thick.filter((one) => one.axis === axis).length >= most * thick.length,
  );
  if (usual === undefined || thick.length < enoughCases) return [];
  return thick
    .filter(({ axis }) => axis !== usual)
    .map(({ path, axis }) => ({
      severity: 'warning',
      kind: 'orientation',
      place: path,
      what: `has its thick slices along ${axisNames[axis]}, others along ${axisNames[usual]}`,
      remedy: 'Check the orientation in its header.',
    }));
}

/** The axis along which slices are clearly thick; undefined: none is. */
export function thickAxis(spacing: readonly [number, number, number]): 0 | 1 | 2 | undefined {
  return ([0, 1, 2] as const).find((axis) =>
    spacing.every((mm, other) => other === axis || spacing[axis] > clearlyThicker * mm),
  );
}

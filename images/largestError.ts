import { agreementOf } from '../protocol/evaluation/planeLabels.ts';
import type { ImageGeometry } from '../protocol/viewer/geometry.ts';
import type { CutPlane } from './cutPlane.ts';
import { cutLayer, type Layer } from './layer.ts';
import type { LargestError } from './messages.ts';

/** The axial slice in which two label maps differ in the most voxels, and of these voxels the one nearest to their middle. */
export function largestError(base: ImageGeometry, reference: Layer, prediction: Layer): LargestError | undefined {
  let worst: { slice: number; errors: number } = { slice: 0, errors: 0 };
  for (let slice = 0; slice < base.shape[0]; slice++) {
    const errors = count(errorsOf(base, reference, prediction, slice));
    if (errors > worst.errors) worst = { slice, errors };
  }
  if (worst.errors === 0) return undefined;
  const [row, column] = nearestToMiddle([...errorsOf(base, reference, prediction, worst.slice)], base.shape[2]);
  return { place: [worst.slice, row, column], errors: worst.errors };
}

/** Pixels of a slice in which the two differ. */
function* errorsOf(base: ImageGeometry, reference: Layer, prediction: Layer, slice: number): Generator<number> {
  const [is, said] = [cutLayer(reference, base, 'axial', slice), cutLayer(prediction, base, 'axial', slice)];
  for (let i = 0; i < is.numbers.length; i++) {
    // Most pixels are background in both.
    if (is.numbers[i] === 0 && said.numbers[i] === 0 && is.intercept === 0 && said.intercept === 0) continue;
    const agreement = agreementOf(labelOf(is, i), labelOf(said, i));
    if (agreement !== 'none' && agreement !== 'right') yield i;
  }
}

function labelOf({ numbers, slope, intercept }: CutPlane, i: number): number {
  return Math.round((numbers[i] ?? 0) * slope + intercept) & 0xffff;
}

function count(all: Iterable<unknown>): number {
  let sum = 0;
  for (const _ of all) sum++;
  return sum;
}

function nearestToMiddle(pixels: readonly number[], width: number): [row: number, column: number] {
  const at = (i: number): [number, number] => [Math.floor(i / width), i % width];
  const mean = (axis: 0 | 1) => pixels.reduce((sum, i) => sum + at(i)[axis], 0) / pixels.length;
  const [row, column] = [mean(0), mean(1)];
  const distance = (i: number) => Math.hypot(at(i)[0] - row, at(i)[1] - column);
  const [first = 0] = pixels;
  return at(pixels.reduce((best, i) => (distance(i) < distance(best) ? i : best), first));
}

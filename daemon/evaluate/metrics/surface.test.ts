import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { ConventionName } from '../../../protocol/evaluation/segmentation.ts';
import { readGolden, size } from '../../../test/golden/values.ts';
import { conventions } from './conventions.ts';
import { measureClasses } from './measureClass.ts';

interface Ellipsoid {
  centre: number[];
  radii: number[];
}
interface GoldenCase {
  shape: number[];
  spacing: number[];
  toleranceMm: number;
}
type Tool = Record<string, number | null | 'infinite' | 'error'>;

/** Union of ellipsoids, as test/golden/conventions.py and the README of the golden numbers define it. */
function maskOf(shape: readonly number[], ellipsoids: readonly Ellipsoid[]): Uint8Array {
  return Uint8Array.from({ length: size(shape) }, (_, index) => {
    let rest = index;
    const place = shape.toReversed().map((n) => {
      const at = rest % n;
      rest = Math.floor(rest / n);
      return at;
    });
    place.reverse();
    const inside = ({ centre, radii }: Ellipsoid) =>
      place.reduce((sum, at, axis) => sum + ((at - centre[axis]!) / radii[axis]!) ** 2, 0) <= 1;
    return ellipsoids.some(inside) ? 1 : 0;
  });
}

function measure(golden: GoldenCase, prediction: Uint8Array, reference: Uint8Array, name: ConventionName) {
  const options = { convention: conventions[name], toleranceMm: golden.toleranceMm, lesions: false };
  const [one] = measureClasses({ prediction, reference }, [{ name: 'a', values: [1] }], golden, options);
  return one!;
}

const { segmentation } = readGolden<{
  segmentation: (GoldenCase &
    Record<'prediction' | 'truth', Ellipsoid> &
    Record<'dice' | 'iou' | 'hd95' | 'assd' | 'surfaceDice', number>)[];
}>('metrics.json');

describe('golden numbers', () => {
  test.each(segmentation)('$shape at $spacing mm', (golden) => {
    const [prediction, reference] = [maskOf(golden.shape, [golden.prediction]), maskOf(golden.shape, [golden.truth])];
    const got = measure(golden, prediction, reference, 'unimiss');
    expect(got.status).toBe('ok');
    for (const name of ['dice', 'iou', 'hd95', 'assd', 'surfaceDice'] as const)
      expect(Math.abs(got[name]! - golden[name]), name).toBeLessThan(1e-6);
  });
});

/** Ours, not the reference's: also where UNIMISS_GOLDEN names another folder. */
const conventionsFile = fileURLToPath(new URL('../../../test/golden/data/conventions.json', import.meta.url));
const { cases, labelMaps } = JSON.parse(readFileSync(conventionsFile, 'utf8')) as {
  cases: (GoldenCase & { name: string } & Record<'prediction' | 'truth', Ellipsoid[]> &
    Record<'monai' | 'medpy' | 'deepmind' | 'nnunet', Tool>)[];
  labelMaps: (Pick<GoldenCase, 'shape' | 'spacing'> & {
    name: string;
    classes: number[][];
    ignore: number | null;
  } & Record<'prediction' | 'truth', (Ellipsoid & { value: number })[]> & {
      nnunet: Record<'dice' | 'iou' | 'predictedVoxels' | 'referenceVoxels', number | null>[];
    })[];
};

describe.each(['monai', 'medpy', 'deepmind', 'nnunet'] as const)('as %s', (tool) => {
  test.each(cases)('$name', (golden) => {
    const [prediction, reference] = [maskOf(golden.shape, golden.prediction), maskOf(golden.shape, golden.truth)];
    const got = measure(golden, prediction, reference, tool);
    const tolerance = tool === 'monai' ? 4e-6 : 1e-9; // MONAI computes in float32
    for (const [name, wanted] of Object.entries(golden[tool])) {
      const value = got[name as 'dice'];
      if (typeof wanted === 'number')
        expect(Math.abs(value! - wanted) / Math.max(1, wanted), name).toBeLessThan(tolerance);
      else expect(value, name).toBeNull();
    }
  });
});

test.each(labelMaps)('as nnunet, of label maps: $name', ({ shape, spacing, classes, ignore, ...golden }) => {
  const painted = (ellipsoids: readonly (Ellipsoid & { value: number })[]) => {
    const labels = new Uint8Array(size(shape));
    for (const one of ellipsoids)
      for (const [i, inside] of maskOf(shape, [one]).entries()) if (inside) labels[i] = one.value;
    return labels;
  };
  const [prediction, reference] = [painted(golden.prediction), painted(golden.truth)];
  const got = measureClasses(
    { prediction, reference, ...(ignore !== null && { ignore }) },
    classes.map((values) => ({ name: values.join('+'), values })),
    { shape, spacing },
    { convention: conventions.nnunet, toleranceMm: 1, lesions: false },
  );
  for (const [k, wanted] of golden.nnunet.entries()) {
    const { dice, iou, predictedVoxels, referenceVoxels } = got[k]!;
    expect({ dice, iou, predictedVoxels, referenceVoxels }, classes[k]?.join('+')).toEqual(wanted);
  }
});

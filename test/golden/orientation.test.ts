import { describe, expect, it } from 'vitest';
import { geometryOf } from '../../images/geometry.ts';
import { directionLetters, millimetersOf, type Place, voxelOf } from '../../protocol/viewer/geometry.ts';
import { goldenFiles, readGolden } from './values.ts';

interface Golden {
  readonly shape: readonly [number, number, number];
  readonly voxels: readonly (readonly number[])[];
  readonly cases: readonly {
    readonly name: string;
    readonly affine: readonly [Row, Row, Row];
    readonly axes: string;
    /** RAS mm of `voxels`. */
    readonly points: readonly (readonly number[])[];
  }[];
}
type Row = readonly [number, number, number, number];

const opposite: Readonly<Record<string, string>> = { R: 'L', L: 'R', A: 'P', P: 'A', S: 'I', I: 'S' };

describe.each(goldenFiles(/^orientation\.json$/))('%s', (file) => {
  const { shape, voxels, cases } = readGolden<Golden>(file);

  it.each(cases)('the viewer names directions and places as nibabel does: $name', ({ affine, axes, points }) => {
    const geometry = geometryOf({ affine, size: shape }, true);
    const letters = ['', '', ''];
    for (const axis of [0, 1, 2] as const) {
      const { axis: stored = 0, reversed = false } = geometry.stored[axis] ?? {};
      const letter = directionLetters(geometry, axis).charAt(0);
      letters[stored] = reversed ? (opposite[letter] ?? '') : letter;
      // On the screen, slices run down, rows to the back and columns to the left: of an upright volume exactly so.
      expect(letter).toBe(['I', 'P', 'L'][axis]);
    }
    expect(letters.join('')).toBe(axes);

    for (const [n, voxel] of voxels.entries()) {
      const place = geometry.stored.map(({ axis, reversed }, output) => {
        const index = voxel[axis] ?? 0;
        return reversed ? (geometry.shape[output as 0 | 1 | 2] ?? 0) - 1 - index : index;
      }) as unknown as Place;
      expect(voxelOf(geometry, place)).toEqual(voxel);
      for (const [axis, mm] of (millimetersOf(geometry, place) ?? []).entries())
        expect(mm).toBeCloseTo(points[n]?.[axis] ?? Number.NaN, 6);
    }
  });
});

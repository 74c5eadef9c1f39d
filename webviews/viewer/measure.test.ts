import { expect, it } from 'vitest';
import type { ImageGeometry } from '../../protocol/viewer/geometry.ts';
import type { LoadedPlane } from '../../protocol/viewer/readPiece.ts';
import { angleOf, distanceOf, measured, regionOf } from './measure.ts';

/** Slices 5 mm apart, pixels of 2 mm. */
const geometry: ImageGeometry = {
  shape: [10, 20, 20],
  spacing: [5, 2, 2],
  toMillimeters: [
    [0, 0, -2, 0],
    [0, -2, 0, 0],
    [-5, 0, 0, 0],
  ],
  stored: [],
  spacingKnown: true,
};

it('distances and angles are in millimetres and degrees of the body', () => {
  expect(
    distanceOf(geometry, [
      [1, 0, 0],
      [1, 3, 4],
    ]),
  ).toBeCloseTo(10);
  expect(
    distanceOf(geometry, [
      [1, 0, 0],
      [4, 10, 0],
    ]),
  ).toBeCloseTo(25);
  // 5 mm down and 10 mm across: not the 45° or 63° of its voxels.
  expect(
    angleOf(geometry, [
      [1, 0, 0],
      [0, 0, 0],
      [1, 0, 2.5],
    ]),
  ).toBeCloseTo(45);
});

it('a region has the mean of the voxels whose centres lie in it', () => {
  const numbers = new Int16Array(400).fill(-1000);
  // A disc of radius 2 pixels around (10, 10) has 13 of them.
  for (let y = 0; y < 20; y++)
    for (let x = 0; x < 20; x++) if (Math.hypot(x - 10, y - 10) <= 2) numbers[20 * y + x] = x;
  const plane: LoadedPlane = {
    layer: 0,
    plane: 'axial',
    index: 1,
    width: 20,
    height: 20,
    kind: 'int16',
    slope: 2,
    intercept: 1,
    complete: true,
    numbers,
  };
  const points = [
    [1, 10, 10],
    [1, 10, 12],
  ] as const;
  expect(regionOf(geometry, plane, points)).toMatchObject({ mean: 21, voxels: 13, radius: 4 });
  expect(measured(geometry, { tool: 'region', plane: 'axial', index: 1, points }, plane, ' HU')).toBe(
    'mean 21.0 ± 2.2 HU, 50.3 mm²',
  );
});

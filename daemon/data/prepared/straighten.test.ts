import { expect, it } from 'vitest';
import { resampledInto, turnedGrid } from '../../../test/resampled.ts';
import type { Affine } from '../formats/niftiGeometry.ts';
import { walkAffine } from '../formats/orientation.ts';
import { type StoredGrid, walkOf } from '../formats/storedVolume.ts';
import { straighten, tiltOf } from './straighten.ts';

/** A grid as a NIfTI file has it: i, j, k towards right, anterior, superior, voxels of 2×2×4 mm. */
const straight: StoredGrid = {
  ...{ format: 'nifti', size: [30, 24, 12], type: 'int16' },
  affine: [
    [2, 0, 0, -30],
    [0, 2, 0, -20],
    [0, 0, 4, -25],
  ],
};

function turned(angles: readonly [number, number]): StoredGrid {
  const { shape, affine } = turnedGrid({ shape: straight.size, affine: straight.affine }, angles);
  return { ...straight, size: shape, affine };
}

type Point = readonly [number, number, number];
const smooth = ([x, y, z]: Point) => 300 * Math.sin(x / 15) + 200 * Math.cos(y / 12) + 4 * z;

/** The middles of all voxels of a grid in the order of arrays. */
function* places(grid: StoredGrid): Generator<Point> {
  const walk = walkOf(grid);
  const affine: Affine = walkAffine(grid.affine, grid.size, walk);
  const row = (r: 0 | 1 | 2, k: number, j: number, i: number) =>
    affine[r][0] * k + affine[r][1] * j + affine[r][2] * i + affine[r][3];
  for (let k = 0; k < walk.shape[0]; k++)
    for (let j = 0; j < walk.shape[1]; j++)
      for (let i = 0; i < walk.shape[2]; i++) yield [row(0, k, j, i), row(1, k, j, i), row(2, k, j, i)];
}

function imageOf(grid: StoredGrid) {
  const data = Float32Array.from(places(grid), smooth);
  return { size: walkOf(grid).shape, spacing: [4, 2, 2] as const, channels: [data], grid, notices: [] };
}

it('measures how far the axes of a grid lie off the patient’s, whichever way they run', () => {
  expect(tiltOf(straight)).toBe(0);
  const [[a], [, b], [, , c]] = straight.affine;
  expect(
    tiltOf({
      affine: [
        [0, -a, 0, 5],
        [0, 0, b, 6],
        [-c, 0, 0, 7],
      ],
    }),
  ).toBe(0);
  expect(tiltOf(turned([0.3, 0]))).toBeCloseTo((0.3 * 180) / Math.PI, 6);
  expect(tiltOf(turned([0, 0.15]))).toBeCloseTo((0.15 * 180) / Math.PI, 6);
});

it.each([
  [0.3, 0],
  [0, -0.4],
  [0.5, 0.2],
] as const)('an image turned by %f and %f lies along the axes again, and shows the same at each place', (a, b) => {
  const grid = turned([a, b]);
  const image = imageOf(grid);
  const { stored } = straighten(image, grid, 'oblique.nii');
  expect(stored.spacing?.map((mm) => +mm.toFixed(6))).toEqual([4, 2, 2]);
  const all = [...places(grid)];
  const [left, back, top] = ([0, 1, 2] as const).map((axis) => Math.max(...all.map((point) => point[axis])));
  const [values = new Float32Array()] = stored.channels;
  const [depth, height, width] = stored.size;
  // All of the image is in it: along each axis it is as long as the farthest voxels are apart.
  expect((depth - 1) * 4).toBeGreaterThan(top! - Math.min(...all.map(([, , z]) => z)) - 0.1);
  const lowest = Math.min(...(image.channels[0] ?? []));
  let [inside, worst] = [0, 0];
  for (let k = 0; k < depth; k++)
    for (let j = 0; j < height; j++)
      for (let i = 0; i < width; i++) {
        const value = values[(k * height + j) * width + i]!;
        if (value === lowest) continue; // beyond the image
        inside++;
        worst = Math.max(worst, Math.abs(value - smooth([left! - 2 * i, back! - 2 * j, top! - 4 * k])));
      }
  expect(inside).toBeGreaterThan(0.6 * all.length);
  // Linear interpolation of these waves is wrong by less than 6 of 500; at the borders the last voxel is repeated over half its width.
  expect(worst).toBeLessThan(60);
});

it('labels come back to the voxels that they lie on', () => {
  const grid = turned([0.5, 0.2]);
  const { stored, back } = straighten(imageOf(grid), grid, 'oblique.nii');
  const all = [...places(grid)];
  const [left, behind, top] = ([0, 1, 2] as const).map((axis) => Math.max(...all.map((point) => point[axis])));
  const [depth, height, width] = stored.size;
  const label = ([x, y, z]: Point) => (x + 2 * y > 12 ? 1 : 0) + (z > 3 ? 2 : 0);
  const map = new Uint8Array(depth * height * width);
  for (let k = 0, v = 0; k < depth; k++)
    for (let j = 0; j < height; j++)
      for (let i = 0; i < width; i++, v++) map[v] = label([left! - 2 * i, behind! - 2 * j, top! - 4 * k]);
  const own = back(map);
  expect(own).toHaveLength(all.length);
  // Within half a voxel of a border the nearest voxel may have the label beyond it.
  const near = ([x, y, z]: Point) => Math.abs(x + 2 * y - 12) < 4 || Math.abs(z - 3) < 2.5;
  const wrong = all.filter((point, v) => !near(point) && own[v] !== label(point));
  expect(wrong).toEqual([]);
  expect(new Set(own)).toEqual(new Set([0, 1, 2, 3]));
  expect(back(Uint16Array.from(map))).toBeInstanceOf(Uint16Array);
});

it('margins that were filled in come off again, but not below the length that is asked for', () => {
  const grid = turned([0.4, 0.2]);
  // Nothing but air around a ball of 40 mm.
  const radius = 20;
  const data = Float32Array.from(places(grid), (place) => (Math.hypot(...place) < radius ? 50 : -900));
  const image = { size: walkOf(grid).shape, spacing: [4, 2, 2] as const, channels: [data], grid, notices: [] };
  const { stored, back } = straighten(image, grid, 'oblique.nii');
  const mm = ({ size }: typeof stored) => [4 * size[0], 2 * size[1], 2 * size[2]];
  for (const length of mm(stored)) expect(Math.abs(length - 2 * radius)).toBeLessThanOrEqual(12);
  for (const length of mm(straighten(image, grid, 'oblique.nii', [60, 60, 60]).stored))
    expect(length).toBeGreaterThanOrEqual(46);
  // All of the ball is in the copy, to its tips; beyond it there are no labels.
  const own = back(new Uint8Array(stored.size[0] * stored.size[1] * stored.size[2]).fill(7));
  expect(own.every((label, v) => label === 7 || data[v] === -900)).toBe(true);
  expect(own.filter((label) => label === 7).length).toBeLessThan(own.length / 2);
});

it('an image that was resampled into an oblique grid is as large again as it was, although its faces are smeared', () => {
  const { size, affine } = straight;
  const shape = walkOf(straight).shape;
  const before = {
    shape,
    data: Float32Array.from(places(straight), (place) => 40 + smooth(place) / 100),
    affine: walkAffine(affine, size, walkOf(straight)),
  };
  for (const angles of [
    [0.3, 0.15],
    [0.1, -0.4],
    [0.5, 0.3],
  ] as const) {
    const target = turnedGrid(before, angles);
    const data = resampledInto(before, target, { nearest: false, outside: -1000 });
    const [depth, height, width] = target.shape;
    // Files have the fastest axis first.
    const turnedBack = target.affine.map(([a, b, c, t]) => [c, b, a, t]) as unknown as Affine;
    const grid = { ...straight, size: [width, height, depth] as const, affine: turnedBack };
    const walk = walkOf(grid);
    expect(walk.shape).toEqual(target.shape);
    const image = { size: target.shape, spacing: [4, 2, 2] as const, channels: [data], grid, notices: [] };
    // A window that is hardly longer changes nothing.
    const window = [shape[0] * 4.1, shape[1] * 2.05, shape[2] * 2.05] as const;
    const { stored } = straighten(image, grid, 'oblique.nii', window);
    for (const [axis, length] of shape.entries())
      expect(Math.abs((stored.size[axis] ?? 0) - length), `${angles}, axis ${axis}`).toBeLessThanOrEqual(1);
  }
});

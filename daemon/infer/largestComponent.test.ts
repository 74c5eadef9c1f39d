import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Size3 } from '../data/prepared/types.ts';
import { keepLargest } from './largestComponent.ts';

/** As the product, written as plainly as possible: floods components voxel by voxel. */
function naive(map: Uint8Array, [depth, height, width]: Size3, classes: ReadonlySet<number>): Uint8Array {
  const component = new Int32Array(map.length).fill(-1);
  const found: { label: number; voxels: number[] }[] = [];
  for (let first = 0; first < map.length; first++) {
    const label = map[first]!;
    if (!classes.has(label) || component[first]! >= 0) continue;
    const voxels = [first];
    component[first] = found.length;
    for (let n = 0; n < voxels.length; n++) {
      const [z, y, x] = [
        Math.floor(voxels[n]! / (height * width)),
        Math.floor(voxels[n]! / width) % height,
        voxels[n]! % width,
      ];
      for (const dz of [-1, 0, 1])
        for (const dy of [-1, 0, 1])
          for (const dx of [-1, 0, 1]) {
            const [a, b, c] = [z + dz, y + dy, x + dx];
            if (a < 0 || b < 0 || c < 0 || a >= depth || b >= height || c >= width) continue;
            const at = (a * height + b) * width + c;
            if (map[at] !== label || component[at]! >= 0) continue;
            component[at] = found.length;
            voxels.push(at);
          }
    }
    found.push({ label, voxels });
  }
  const kept = new Set(
    [...classes].flatMap((label) => {
      const own = found.filter((one) => one.label === label);
      const most = Math.max(...own.map(({ voxels }) => voxels.length));
      return own.find(({ voxels }) => voxels.length === most) ?? [];
    }),
  );
  return map.map((label, i) => (classes.has(label) && !kept.has(found[component[i]!]!) ? 0 : label));
}

it('keeps the largest component of each named class, as flooding finds it', () => {
  const sized = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 7 }))
    .chain(([d, h, w]) =>
      fc.record({
        size: fc.constant<Size3>([d, h, w]),
        map: fc
          .array(fc.constantFrom(0, 0, 1, 2, 3), { minLength: d * h * w, maxLength: d * h * w })
          .map((values) => Uint8Array.from(values)),
      }),
    );
  fc.assert(
    fc.property(sized, fc.subarray([1, 2, 3]), ({ size, map }, classes) => {
      const own = map.slice();
      keepLargest(own, size, new Set(classes));
      expect([...own]).toEqual([...naive(map, size, new Set(classes))]);
    }),
    { numRuns: 300 },
  );
});

import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { CoarseCache } from './coarseCache.ts';
import { coarseCopyOf, coarseIndex } from './coarseCopy.ts';
import { cutPlane, planeWalk } from './cutPlane.ts';
import { geometryOf } from './geometry.ts';
import type { VoxelStore } from './voxelStore.ts';

const folder = mkdtempSync(join(tmpdir(), 'um-coarse-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const size = [7, 5, 4] as const;
const range = { low: -10, high: 200, ct: false };
/** Voxels that say where they are. */
const store = (): VoxelStore => ({
  size,
  voxels: Int16Array.from({ length: 140 }, (_, p) => p),
  ...{ scaling: { slope: 2, intercept: -1 }, available: 140, failure: undefined },
});
const file = join(folder, 'image.nii.gz');
writeFileSync(file, 'an image');

describe('a coarse copy', () => {
  const copy = coarseCopyOf(store(), range);

  it('has every second voxel, also of axes of odd length', () => {
    expect(copy.size).toEqual([4, 3, 2]);
    expect([...copy.voxels].slice(0, 8)).toEqual([0, 2, 4, 6, 14, 16, 18, 20]);
    for (let p = 0; p < 140; p++) {
      const [i, j, k] = [p % 7, Math.floor(p / 7) % 5, Math.floor(p / 35)];
      const near = i - (i % 2) + 7 * (j - (j % 2)) + 35 * (k - (k % 2));
      expect(copy.voxels[coarseIndex(copy, size, p)]).toBe(near);
    }
  });

  it('stands for voxels that have not been read; those that have are their own', () => {
    const affine = [[1, 0, 0, 0] as const, [0, 1, 0, 0] as const, [0, 0, 1, 0] as const].map((row) => [...row]);
    const geometry = geometryOf({ affine: affine as never, size }, true);
    // k from the head down, i from the right: the first slice is k = 3.
    const cut = (at: Partial<VoxelStore>, slice: number) =>
      cutPlane({ ...store(), ...at }, planeWalk(geometry, size, 'axial', slice));
    const whole = cut({}, 3);
    expect(cut({ available: 35, coarse: copy }, 3)).toEqual(whole);
    const later = cut({ available: 35, coarse: copy }, 2);
    expect(later).toMatchObject({ complete: false, kind: 'int16', slope: 2, intercept: -1 });
    // Slice k = 1 looks like k = 0, with pairs of equal voxels.
    expect([...later.numbers].every((n) => n % 2 === 0 && n < 35)).toBe(true);
    expect(cut({ available: 35 }, 2).numbers.every(Number.isNaN)).toBe(true);
  });

  it('comes back from the disk, for this image as it is only, and for one user only', async () => {
    const cache = new CoarseCache(join(folder, 'cache'));
    expect(await cache.find(file, 0, store())).toBeUndefined();
    expect(await cache.keep(file, 0, copy)).toBe(true);
    expect(await cache.find(file, 0, store())).toEqual(copy);
    expect(await cache.find(file, 1, store())).toBeUndefined();
    const [name = ''] = readdirSync(join(folder, 'cache'));
    expect(statSync(join(folder, 'cache')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'cache', name)).mode & 0o777).toBe(0o600);
    utimesSync(file, 1, 1);
    expect(await cache.find(file, 0, store())).toBeUndefined();
  });

  it('that is damaged, or of another size, is none', async () => {
    const cache = new CoarseCache(join(folder, 'damaged'));
    await cache.keep(file, 0, copy);
    expect(await cache.find(file, 0, { ...store(), size: [9, 5, 4] })).toBeUndefined();
    const [name = ''] = readdirSync(join(folder, 'damaged'));
    for (const content of ['', 'x', '\u00ff\u00ff\u00ff\u00ff{}']) {
      writeFileSync(join(folder, 'damaged', name), content, 'latin1');
      expect(await cache.find(file, 0, store())).toBeUndefined();
    }
  });

  it('goes when there are too many, the one that was used least recently first', async () => {
    const cache = new CoarseCache(join(folder, 'full'), 300);
    for (const volume of [0, 1]) await cache.keep(file, volume, copy);
    for (const name of readdirSync(join(folder, 'full'))) utimesSync(join(folder, 'full', name), 1, 1);
    expect(await cache.find(file, 0, store())).toEqual(copy);
    await cache.keep(file, 2, copy);
    const there = await Promise.all(
      [0, 1, 2].map(async (volume) => (await cache.find(file, volume, store())) !== undefined),
    );
    expect(there).toEqual([true, false, true]);
  });

  it('is neither kept in a folder of others nor read from it', async () => {
    const own = join(folder, 'shared');
    const cache = new CoarseCache(own);
    await cache.keep(file, 0, copy);
    const isThere = async (there: CoarseCache) => (await there.find(file, 0, store())) !== undefined;
    expect(await isThere(cache)).toBe(true);
    symlinkSync(own, join(folder, 'linked'));
    const linked = new CoarseCache(join(folder, 'linked'));
    expect([await isThere(linked), await linked.keep(file, 0, copy)]).toEqual([false, false]);
    chmodSync(own, 0o777);
    expect([await isThere(cache), await cache.keep(file, 0, copy)]).toEqual([false, false]);
    chmodSync(own, 0o700);
    const uid = process.getuid?.() ?? 0;
    const getuid = vi.spyOn(process as { getuid(): number }, 'getuid').mockReturnValue(uid + 1);
    expect([await isThere(cache), await cache.keep(file, 0, copy)]).toEqual([false, false]);
    getuid.mockRestore();
    expect(await isThere(cache)).toBe(true);
  });

  it('is not kept where its folder cannot be made', async () => {
    expect(await new CoarseCache(join(file, 'below a file')).keep(file, 0, copy)).toBe(false);
  });
});

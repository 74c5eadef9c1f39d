import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { niftiFixture } from './formats/nifti.fixture.ts';
import { readNifti } from './formats/nifti.ts';
import { writeNifti } from './formats/niftiWriter.ts';
import { isFarFrom, resampleVolume } from './resample.ts';
import type { Volume } from './types.ts';
import { VolumeCache } from './volumeCache.ts';
import { subVolume, VolumeReader } from './volumes.ts';

const dir = mkdtempSync(join(tmpdir(), 'volumes-'));
afterAll(() => rmSync(dir, { recursive: true }));

function volumeOf(
  shape: Volume['shape'],
  spacing: Volume['spacing'],
  value: (s: number, x: number, y: number) => number,
): Volume {
  const data = new Float32Array(shape[0] * shape[1] * shape[2]);
  for (let s = 0, i = 0; s < shape[0]; s++) {
    for (let x = 0; x < shape[1]; x++) for (let y = 0; y < shape[2]; y++) data[i++] = value(s, x, y);
  }
  return { kind: '3D', shape, spacing, data };
}
const integers = (volume: Volume): Volume => ({ ...volume, data: Int16Array.from(volume.data) });

describe('resampleVolume', () => {
  it('keeps the extent, constants and the mean of what is far from the borders', () => {
    const side = fc.integer({ min: 4, max: 12 });
    const mm = fc.constantFrom(0.6, 1, 1.5, 2, 3, 5);
    fc.assert(
      fc.property(fc.tuple(side, side, side), fc.tuple(mm, mm, mm), (shape, spacing) => {
        const out = resampleVolume(
          volumeOf(shape, spacing, () => -700),
          [3, 1, 1],
        );
        expect(out.spacing).toEqual([3, 1, 1]);
        out.shape.forEach((n, axis) => {
          expect(Math.abs(n * out.spacing[axis]! - shape[axis]! * spacing[axis]!)).toBeLessThanOrEqual(
            Math.max(out.spacing[axis]!, 0.51 * spacing[axis]!),
          );
        });
        expect(out.data.every((value) => Math.abs(value + 700) < 0.01)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('is exact on linear ramps inside, finer or coarser', () => {
    for (const [from, to] of [
      [2, 1],
      [1, 3],
      [1, 2],
    ] as const) {
      const n = 24;
      // The value is the place in mm of a voxel's centre.
      const ramp = volumeOf([4, n, n], [3, from, from], (_, x, y) => (x + 0.5) * from + 100 * (y + 0.5) * from);
      const out = resampleVolume(ramp, [3, to, to]);
      const [, xs, ys] = out.shape;
      for (let x = 3; x < xs - 3; x++) {
        for (let y = 3; y < ys - 3; y++) {
          expect(out.data[(xs + x) * ys + y]).toBeCloseTo((x + 0.5) * to + 100 * (y + 0.5) * to, 1);
        }
      }
    }
  });

  it('averages what is too fine for the new grid instead of aliasing it', () => {
    const stripes = volumeOf([30, 8, 8], [1, 1, 1], (s) => (s % 2 ? 1000 : -1000));
    const out = resampleVolume(stripes, [3, 1, 1]);
    const inner = out.data.subarray(64, -64);
    expect(Math.max(...inner.map(Math.abs))).toBeLessThan(200);
  });

  it('rounds integers and keeps their type', () => {
    const out = resampleVolume(integers(volumeOf([4, 4, 4], [3, 2, 2], (_, x) => 10 * x)), [3, 1, 1]);
    expect(out.data).toBeInstanceOf(Int16Array);
    expect([...out.data.subarray(0, 64)].filter((_, i) => i % 8 === 0)).toEqual([0, 3, 8, 13, 18, 23, 28, 30]);
  });

  it('refuses a result that would be too large', () => {
    const large = volumeOf([2, 4, 4], [900, 900, 900], () => 0);
    expect(() => resampleVolume(large, [0.01, 0.01, 0.01])).toThrow(/voxels after resampling from 900×900×900 to 0.01/);
  });

  it('is done only for spacings that are far away', () => {
    expect(isFarFrom([3, 1, 1], [3, 1, 1])).toBe(false);
    expect(isFarFrom([3.7, 0.81, 1.2], [3, 1, 1])).toBe(false);
    expect(isFarFrom([2, 1, 1], [3, 1, 1])).toBe(true);
    expect(isFarFrom([3, 1, 1.3], [3, 1, 1])).toBe(true);
  });
});

describe('VolumeReader', () => {
  const save = async (name: string, volume: Volume) => {
    await writeNifti(join(dir, name), volume);
    return join(dir, name);
  };
  const coarse = () => integers(volumeOf([6, 8, 8], [5, 2, 2], (s, x, y) => 100 * s + 10 * x + y - 1000));
  const read = async (reader: VolumeReader, path: string) => {
    const notices: string[] = [];
    return { volume: await reader.read(path, ({ message }) => notices.push(message)), notices };
  };

  it('resamples a far spacing with a notice, keeps the copy, and takes it the next time', async () => {
    const cache = join(dir, 'cache');
    const path = await save('coarse.nii.gz', coarse());
    const options = { spacing: [3, 1, 1], cache } as const;
    const first = await read(new VolumeReader(options), path);
    expect(first.volume.shape).toEqual([10, 16, 16]);
    expect(first.notices).toEqual(['has a spacing of 5×2×2 mm: resampled to 3×1×1 mm (6×8×8 to 10×16×16 voxels)']);
    const [name, ...others] = readdirSync(cache);
    expect(others).toEqual([]);
    expect(statSync(join(cache, name!)).mode & 0o777).toBe(0o600);
    const second = await read(new VolumeReader(options), path);
    expect(second.volume.data).toEqual(first.volume.data);
    expect(second.volume.shape).toEqual(first.volume.shape);
    expect(second.volume.spacing).toEqual(first.volume.spacing);
    expect(second.notices).toEqual([
      'has another spacing than 3×1×1 mm; the resampled copy from an earlier reading is used',
    ]);
    // The copy is at the same place as the original.
    const [copy, original] = [await readNifti(join(cache, name!)), await readNifti(path)];
    const border = ({ affine }: typeof copy) => affine.map((row) => row[3] - 0.5 * (row[0] + row[1] + row[2]));
    border(copy).forEach((mm, i) => {
      expect(mm).toBeCloseTo(border(original)[i]!, 3);
    });
    // A changed file counts as another one.
    utimesSync(path, 1e9, 1e9);
    expect((await read(new VolumeReader(options), path)).notices[0]).toMatch(/resampled to/);
    expect(readdirSync(cache)).toHaveLength(2);
  });

  it('tells of an unsound sform each time, also where it uses the copy', async () => {
    const path = join(dir, 'unsound.nii');
    const sform = [
      [Number.NaN, 0, 0, 0],
      [0, 2, 0, 0],
      [0, 0, 5, 0],
    ];
    const values = Array.from({ length: 8 * 8 * 6 }, (_, i) => i - 1000);
    const qform = [1, 0, 0, 0, 0, 0, 0];
    writeFileSync(path, niftiFixture({ size: [8, 8, 6], values, pixdim: [2, 2, 5], sform, qform }));
    const reader = new VolumeReader({ spacing: [3, 1, 1], cache: join(dir, 'unsound') });
    const unsound = 'has an unusable sform (it holds values that are NaN or infinite); its qform is used';
    expect((await read(reader, path)).notices).toEqual([unsound, expect.stringMatching(/resampled to/)]);
    expect((await read(reader, path)).notices).toEqual([unsound, expect.stringMatching(/the resampled copy/)]);
  });

  it('makes a damaged copy again', async () => {
    const cache = join(dir, 'damaged');
    const path = await save('again.nii', coarse());
    const options = { spacing: [3, 1, 1], cache } as const;
    const first = await read(new VolumeReader(options), path);
    const copy = join(cache, readdirSync(cache)[0]!);
    writeFileSync(copy, 'damaged');
    const second = await read(new VolumeReader(options), path);
    expect(second.notices[0]).toMatch(/the cached copy .*too short.*a new one is made/);
    expect(second.volume.data).toEqual(first.volume.data);
    expect(statSync(copy).size).toBeGreaterThan(1000);
  });

  it('continues without copies if the cache cannot be written, and says so', async () => {
    const path = await save('nocache.nii', coarse());
    writeFileSync(join(dir, 'file'), '');
    const { volume, notices } = await read(
      new VolumeReader({ spacing: [3, 1, 1], cache: join(dir, 'file/cache') }),
      path,
    );
    expect(volume.shape).toEqual([10, 16, 16]);
    expect(notices[1]).toMatch(/cannot be cached in .*file\/cache/);
  });

  it('can be told not to resample or not to keep', async () => {
    const path = await save('plain.nii', coarse());
    expect((await read(new VolumeReader(false), path)).volume).toMatchObject({ shape: [6, 8, 8], spacing: [5, 2, 2] });
    expect((await read(new VolumeReader({ spacing: [3, 1, 1], cache: false }), path)).volume.shape).toEqual([
      10, 16, 16,
    ]);
    expect((await read(new VolumeReader({ spacing: [5, 2, 2], cache: false }), path)).notices).toEqual([]);
  });

  it('takes a header without spacing as 3×1×1 mm, with a notice', async () => {
    const unit = { ...coarse(), spacing: [1, 1, 1] as const };
    const affine = [
      [0, 0, -1, 0],
      [0, -1, 0, 0],
      [-1, 0, 0, 0],
    ] as const;
    await writeNifti(join(dir, 'unknown.nii'), { ...unit, affine });
    const { volume, notices } = await read(
      new VolumeReader({ spacing: [3, 1, 1], cache: false }),
      join(dir, 'unknown.nii'),
    );
    expect(volume).toMatchObject({ shape: [6, 8, 8], spacing: [3, 1, 1] });
    expect(notices).toEqual(['has no usable spacing in its header: 3×1×1 mm is assumed']);
  });

  it('tells where values do not look like HU', async () => {
    const path = await save(
      'unsigned.nii',
      volumeOf([4, 8, 8], [3, 1, 1], (s, x) => 100 * s + x / 8),
    );
    const { notices } = await read(new VolumeReader(false), path);
    expect(notices).toEqual([
      'has values from 0 to 300.9, which do not look like HU (air is -1000); they are divided by 1024 like all others',
    ]);
  });

  it('names a file whose spacing makes it too large', async () => {
    const huge = await save('huge.nii', { ...coarse(), spacing: [900, 900, 900] });
    await expect(
      new VolumeReader({ spacing: [0.1, 0.1, 0.1], cache: false }).read(huge, () => undefined),
    ).rejects.toThrow(/huge\.nii: would have/);
    await expect(
      new VolumeReader({ spacing: [3, 1, 1], cache: dir }).read(join(dir, 'none.nii'), () => undefined),
    ).rejects.toThrow(/none\.nii: does not exist/);
  });
});

describe('VolumeCache', () => {
  it('removes what was not used for longest beyond its size', async () => {
    const folder = join(dir, 'small');
    mkdirSync(folder);
    writeFileSync(join(folder, 'of-someone-else.txt'), 'x'.repeat(10_000));
    const volume = integers(volumeOf([4, 8, 8], [3, 1, 1], () => 7)); // 864 bytes as a file
    const affine = [
      [0, 0, -1, 5],
      [0, -1, 0, 5],
      [-3, 0, 0, 5],
    ] as const;
    const cache = new VolumeCache(folder, 3000);
    const key = (n: number) => ({ path: `/${n}`, mtimeMs: n, size: n, spacing: [3, 1, 1] });
    const unexpected = (notice: string) => {
      throw new Error(notice);
    };
    const files: string[] = [];
    for (let n = 0; n < 5; n++) {
      const before = new Set(readdirSync(folder));
      await cache.put(key(n), { volume, affine }, unexpected);
      files.push(readdirSync(folder).find((name) => !before.has(name))!);
      utimesSync(join(folder, files[n]!), 1000 + n, 1000 + n);
    }
    // Used again, so it is now the newest.
    expect((await cache.get(key(0), unexpected))?.volume.data).toEqual(volume.data);
    await cache.prune();
    const left = readdirSync(folder);
    expect(files.map((name) => left.includes(name))).toEqual([true, false, false, true, true]);
    expect(left).toContain('of-someone-else.txt');
    expect(await cache.get(key(1), unexpected)).toBeUndefined();
  });

  it.skipIf(process.getuid?.() === 0)('reports a folder without permission', async () => {
    const folder = join(dir, 'readonly');
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    const notices: string[] = [];
    const volume = volumeOf([2, 2, 2], [3, 1, 1], () => 0);
    const affine = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 9]] as const; // biome-ignore format: a matrix
    await new VolumeCache(folder).put({ path: 'a', mtimeMs: 0, size: 0, spacing: [] }, { volume, affine }, (n) =>
      notices.push(n),
    );
    expect(notices).toHaveLength(1);
  });
});

describe('subVolume', () => {
  it('leaves prepared sub-volumes as they are', () => {
    const volume = volumeOf([24, 5, 5], [3, 1, 1], () => 0);
    expect(subVolume(volume, [1])).toBe(volume);
  });

  it('takes 24 slices from a multiple of 4 and drops a tenth on each side, another part each epoch', () => {
    const volume = volumeOf([91, 20, 30], [3, 1, 1], (s, x, y) => 10000 * s + 100 * x + y);
    const starts = new Set<number>();
    for (let epoch = 0; epoch < 200; epoch++) {
      const part = subVolume(volume, [0, epoch, 'a']);
      expect(part.shape).toEqual([24, 16, 24]);
      const start = Math.floor(part.data[0]! / 10000);
      starts.add(start);
      expect(part.data[0]).toBe(10000 * start + 203);
      expect(part.data.at(-1)).toBe(10000 * (start + 23) + 1726);
      if (epoch < 3) expect(subVolume(volume, [0, epoch, 'a']).data).toEqual(part.data);
    }
    expect([...starts].sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, i) => 4 * i));
  });
});

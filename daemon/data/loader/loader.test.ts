import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { modalities } from '../../../protocol/modality.ts';
import { folderOf } from '../../../test/needs.ts';
import { views2DOptions, views3DOptions } from '../augment/options.ts';
import { type BrokenImage, Dataset, openDataset } from '../datasets/unlabelled.ts';
import { writePhantoms } from '../phantoms/write.ts';
import { openLoader, type ViewBatch } from './index.ts';
import { batchCount, epochSlots, followedIn } from './order.ts';
import type { BatchRange, LoaderOptions } from './types.ts';
import { WorkerThread } from './workerThread.ts';

const dir = mkdtempSync(join(tmpdir(), 'loader-'));
afterAll(() => rmSync(dir, { recursive: true }));
let phantoms: Dataset;
beforeAll(async () => {
  const { manifest } = await writePhantoms(dir, {
    seed: 5,
    volumes: 7,
    images: 9,
    size: { slices: 20, plane: 40, image: 48 },
  });
  phantoms = await openDataset({ manifest });
});

const options = (more: Partial<LoaderOptions>): LoaderOptions => ({
  dataset: phantoms,
  phase: '2D',
  seed: 11,
  workers: 0,
  batch: 2,
  views2D: views2DOptions([32, 32]),
  views3D: views3DOptions([16, 32, 32]),
  resample: false,
  ...more,
});

/** All batches of an epoch, from a separate loader. */
async function batchesOf(more: Partial<LoaderOptions>, epoch = 0, range: BatchRange = {}): Promise<ViewBatch[]> {
  const loader = openLoader(options(more));
  try {
    const batches: ViewBatch[] = [];
    for await (const batch of loader.epoch(epoch, range)) batches.push(batch);
    return batches;
  } finally {
    await loader.close();
  }
}
const content = (batches: readonly ViewBatch[]) =>
  batches.map(({ index, ids, views }) => ({
    index,
    ids,
    views: Buffer.from(views.buffer).toString('base64').slice(0, 4000),
    sum: views.reduce((a, b) => a + b, 0),
  }));

describe('the order of an epoch', () => {
  it('takes every sample at most once, drops the incomplete batch, and differs from epoch to epoch', () => {
    const slots = epochSlots(9, 2, 1, 0, '2D');
    expect(slots).toHaveLength(4);
    const taken = slots.flat().map(({ sample }) => sample);
    expect(new Set(taken).size).toBe(8);
    expect(slots.flat().every(({ repeat }) => repeat === 0)).toBe(true);
    expect(epochSlots(9, 2, 1, 0, '2D')).toEqual(slots);
    for (const other of [epochSlots(9, 2, 1, 1, '2D'), epochSlots(9, 2, 2, 0, '2D'), epochSlots(9, 2, 1, 0, '3D')]) {
      expect(other).not.toEqual(slots);
    }
    const dropped = Array.from({ length: 40 }, (_, e) => {
      const used = new Set(
        epochSlots(9, 2, 1, e, '2D')
          .flat()
          .map(({ sample }) => sample),
      );
      return [0, 1, 2, 3, 4, 5, 6, 7, 8].find((i) => !used.has(i));
    });
    expect(new Set(dropped).size).toBeGreaterThan(5);
  });

  it('follows the same image through the epochs, unless an epoch does not have it', () => {
    for (let epoch = 0; epoch < 20; epoch++) {
      const slots = epochSlots(9, 2, 1, epoch, '2D');
      const { batch, place } = followedIn(slots);
      const lowest = Math.min(...slots.flat().map(({ sample }) => sample));
      expect(slots[batch]?.[place]?.sample).toBe(lowest);
      expect(lowest).toBeLessThan(2); // the incomplete last batch, here of one sample, is dropped
    }
    expect(followedIn(epochSlots(3, 8, 1, 0, '3D'))).toMatchObject({ batch: 0 });
  });

  it('repeats samples where there are fewer than a batch takes', () => {
    expect(batchCount(3, 8)).toBe(1);
    const [slots] = epochSlots(3, 8, 1, 0, '3D');
    expect(slots!.map(({ repeat }) => repeat)).toEqual([0, 0, 0, 1, 1, 1, 2, 2]);
    expect(new Set(slots!.map(({ sample }) => sample)).size).toBe(3);
  });
});

describe.each(modalities)('batches of %s', (phase) => {
  const length = phase === '2D' ? 32 * 32 * 3 : 16 * 32 * 32;

  it('are the same with 0, 1 and 3 workers, and from any batch on', async () => {
    const reference = await batchesOf({ phase });
    expect(reference).toHaveLength(phase === '2D' ? 4 : 3);
    for (const [i, batch] of reference.entries()) {
      expect(batch).toMatchObject({ phase, epoch: 0, index: i, images: 2, broken: [] });
      expect(batch.views).toHaveLength(2 * 2 * length);
      expect(batch.views.every(Number.isFinite)).toBe(true);
      expect(batch.waitMs).toBeGreaterThan(0);
    }
    for (const workers of [1, 3]) expect(content(await batchesOf({ phase, workers }))).toEqual(content(reference));
    expect(content(await batchesOf({ phase, workers: 1 }, 0, { from: 2 }))).toEqual(content(reference.slice(2)));
    expect(content(await batchesOf({ phase, workers: 1 }, 0, { from: 1, to: 2 }))).toEqual(
      content(reference.slice(1, 2)),
    );
    expect(await batchesOf({ phase }, 0, { from: 99 })).toEqual([]);
    expect(content(await batchesOf({ phase }, 1))).not.toEqual(content(reference));
    expect(content(await batchesOf({ phase, seed: 12 }))).not.toEqual(content(reference));
  });

  it('hold two different views of each image, view 1 of all first', async () => {
    const [alone] = await batchesOf({ phase, batch: 1 });
    const [pair] = await batchesOf({ phase, batch: 2 });
    // The same image has the same views in every batch.
    expect(pair!.ids[0]).toBe(alone!.ids[0]);
    expect(pair!.views.slice(0, length)).toEqual(alone!.views.slice(0, length));
    expect(pair!.views.slice(2 * length, 3 * length)).toEqual(alone!.views.slice(length));
    expect(alone!.views.slice(0, length)).not.toEqual(alone!.views.slice(length));
  });

  it('repeat images with other views where there are too few', async () => {
    const [batch] = await batchesOf({ phase, batch: 12 });
    expect(new Set(batch!.ids).size).toBe(phase === '2D' ? 9 : 7);
    const again = batch!.ids.lastIndexOf(batch!.ids[0]!);
    expect(again).toBeGreaterThan(0);
    expect(batch!.views.slice(0, length)).not.toEqual(batch!.views.slice(again * length, (again + 1) * length));
  });
});

describe('several epochs', () => {
  it('run one after the other, also after leaving one early', async () => {
    const loader = openLoader(options({ workers: 2 }));
    for await (const batch of loader.epoch(0)) if (batch.index === 1) break;
    const batches: ViewBatch[] = [];
    for await (const batch of loader.epoch(1)) batches.push(batch);
    expect(content(batches)).toEqual(content(await batchesOf({}, 1)));
    await loader.close();
  });
});

describe('an epoch that was prepared', () => {
  it('is the same, and one that was not is not disturbed', async () => {
    const loader = openLoader(options({ workers: 1 }));
    const take = async (epoch: number, range: BatchRange = {}) => {
      const batches: ViewBatch[] = [];
      for await (const batch of loader.epoch(epoch, range)) batches.push(batch);
      return content(batches);
    };
    const [first, second] = [content(await batchesOf({}, 0)), content(await batchesOf({}, 1))];
    loader.prepare(0);
    loader.prepare(1); // drops the earlier one
    expect(await take(1)).toEqual(second);
    loader.prepare(1, { from: 1 });
    expect(await take(1, { from: 1 })).toEqual(second.slice(1));
    loader.prepare(1, { to: 2 });
    expect(await take(1)).toEqual(second);
    loader.prepare(1);
    expect(await take(0)).toEqual(first);
    await loader.close();
  });

  it('has no batches made beyond those that are wanted', async () => {
    const made = vi.spyOn(WorkerThread.prototype, 'make');
    const loader = openLoader(options({ workers: 2 }));
    loader.prepare(0, { from: 1, to: 3 });
    for await (const { index } of loader.epoch(0, { from: 1, to: 3 })) expect([1, 2]).toContain(index);
    for await (const { index } of loader.epoch(1, { to: 1 })) expect(index).toBe(0);
    await loader.close();
    expect(made).toHaveBeenCalledTimes(3);
    made.mockRestore();
  });
});

describe('broken images met while training', () => {
  let broken: Dataset;
  const bad = 3;
  beforeAll(async () => {
    const folder = join(dir, 'broken');
    mkdirSync(folder);
    for (let i = 0; i < 40; i++) {
      const data = Uint8Array.from({ length: 64 * 64 }, (_, p) => (p * (i + 3)) % 256);
      const file = encode({ width: 64, height: 64, data, depth: 8, channels: 1 });
      // Sound by header and end, but its pixels are damaged.
      if (i < bad) file[60]! ^= 0xff;
      writeFileSync(join(folder, `${i}.png`), file);
    }
    broken = await openDataset({ paths: folder });
  });
  const fresh = (maxBroken: number) => new Dataset(broken.root, broken.samples2D, [], [], maxBroken);

  it('are replaced by others, the same whatever the workers, and reported once', async () => {
    expect(broken.broken).toEqual([]);
    const results: [ReturnType<typeof content>, BrokenImage[]][] = [];
    for (const workers of [0, 1, 3]) {
      const reports: BrokenImage[] = [];
      const dataset = fresh(0.1);
      results.push([
        content(await batchesOf({ dataset, workers, batch: 5, onBroken: (image) => reports.push(image) })),
        reports,
      ]);
      expect(dataset.broken).toHaveLength(bad);
    }
    const [first, ...others] = results;
    expect(first![1].map(({ id }) => id).sort()).toEqual(['0.png', '1.png', '2.png']);
    expect(first![1][0]!.reason).toMatch(/is damaged \(checksum of IDAT/);
    expect(first![0].flatMap(({ ids }) => ids).filter((id) => ['0.png', '1.png', '2.png'].includes(id))).toEqual([]);
    for (const other of others) expect(other).toEqual(first);
  });

  it('stop the run where there are too many, with all their names', async () => {
    const reports: BrokenImage[] = [];
    const running = batchesOf({ dataset: fresh(0.05), workers: 2, batch: 5, onBroken: (image) => reports.push(image) });
    await expect(running).rejects.toThrow(
      /3 of 40 images are broken \(7\.5 %; allowed: 5 %\):\n {2}\d\.png: is damaged/,
    );
    expect(reports).toHaveLength(3);
  });

  it('stop the run where nothing is sound', async () => {
    const dataset = new Dataset(broken.root, broken.samples2D.slice(0, 3), [], [], 1);
    await expect(batchesOf({ dataset })).rejects.toThrow(/images in its place are broken/);
  });
});

describe('notices', () => {
  it('name the first volume of each kind, and count the others at the end of an epoch', async () => {
    const folder = join(dir, 'thick');
    await writePhantoms(folder, { seed: 1, volumes: 8, images: 0, size: { slices: 20, plane: 40 } });
    const dataset = await openDataset({ manifest: join(folder, 'manifest.csv') });
    const notices: [message: string, kind: string, image?: string][] = [];
    const more = (told?: Set<string>) =>
      options({
        dataset,
        phase: '3D',
        workers: 1,
        resample: { spacing: [2, 1, 1], cache: false },
        onNotice: (...n) => notices.push(n),
        ...(told && { told }),
      });
    const loader = openLoader(more());
    for (const epoch of [0, 1]) for await (const batch of loader.epoch(epoch)) expect(batch.images).toBe(2);
    await loader.close();
    const text =
      /^volumes\/000\d\.nii\.gz has a spacing of [\d.×]+ mm: resampled to 2×1×1 mm \(20×40×40 to \d+×\d+×\d+ voxels\)$/;
    const [[message = '', kind, image] = [], ...others] = notices.splice(0);
    expect([message, kind]).toEqual([expect.stringMatching(text), 'resampled']);
    expect(message.startsWith(`${image} `)).toBe(true);
    expect(others).toEqual([['8 volumes were resampled', 'resampled']]); // not again in the second epoch
    await batchesOf(more(new Set(['spacing'])));
    expect(notices.splice(0)).toHaveLength(2);
    await batchesOf(more(new Set(['resampled'])));
    expect(notices).toEqual([]);
  });
});

describe('workers', () => {
  it('that cannot make a batch say why', async () => {
    // Views too large for any memory.
    const views2D = views2DOptions([2 ** 20, 2 ** 20]);
    await expect(batchesOf({ workers: 1, views2D })).rejects.toThrow(/Invalid typed array length|allocation failed/);
  });

  it('fail the waiting batch when the loader is closed', async () => {
    const loader = openLoader(options({ workers: 1, phase: '3D' }));
    const first = loader.epoch(0)[Symbol.asyncIterator]().next();
    const outcome = expect(first).rejects.toThrow(/the loader was closed/);
    await loader.close();
    await outcome;
    await expect(loader.epoch(1)[Symbol.asyncIterator]().next()).rejects.toThrow(/the loader was closed/);
  });

  it('need images of the phase', () => {
    const dataset = new Dataset('/nowhere', phantoms.samples2D, [], [], 0);
    expect(() => openLoader(options({ dataset, phase: '3D' }))).toThrow(/there are no 3D images/);
  });
});

const samples = folderOf('samples');
describe.skipIf(!samples)('real images (UNIMISS_SAMPLES)', () => {
  it('become views, whole CTs beside sub-volumes', async () => {
    const dataset = await openDataset({ paths: samples! });
    const resample = { spacing: [3, 1, 1], cache: join(dir, 'samples') } as const;
    const notices: string[] = [];
    const more = {
      dataset,
      resample,
      workers: 1,
      views2D: views2DOptions(),
      views3D: views3DOptions(),
      onNotice: (n: string) => notices.push(n),
    };
    for (const phase of modalities) {
      const batches = await batchesOf({ ...more, phase, batch: 4 });
      expect(batches).toHaveLength(phase === '2D' ? 1 : 3);
      expect(batches.every(({ views }) => views.every(Number.isFinite))).toBe(true);
      expect(batches.every(({ views }) => new Set(views.subarray(0, 1000)).size > 1)).toBe(true);
    }
    expect(dataset.broken).toEqual([]);
    expect(notices.join('\n')).toMatch(/chest-ricord-1b\.nii\.gz has a spacing of 2×2×2 mm: resampled to 3×1×1 mm/);
    expect(notices.join('\n')).toMatch(/dep\d\.nii\.gz has no usable spacing in its header: 3×1×1 mm is assumed/);
  });
});

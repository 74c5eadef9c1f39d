import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { ConfigSummary } from '../../../protocol/config/kind.ts';
import type { EventRecord } from '../../../protocol/records/records.ts';
import { loadPreviews, savedPreview } from './previewFiles.ts';

const folder = mkdtempSync(join(tmpdir(), 'unimiss-previews-'));
afterAll(() => rmSync(folder, { recursive: true }));
const images = [['a1.png', 'a2.png', 'a3.png'], ['b1.png']];
for (const name of images.flat()) writeFileSync(join(folder, name), 'png');

const event = (details: EventRecord['details']): EventRecord => ({
  ...{ kind: 'event', event: 'preview', message: 'Preview saved', step: 7, epoch: 1 },
  ...{ time: '2026-11-23T10:00:00.000Z', details },
});
const pictures = ['image', 'reference', 'prediction'];
const load = async (details: EventRecord['details'], of: Pick<ConfigSummary, 'pictures' | 'slices'> = {}) => {
  const saved = savedPreview(event(details));
  const run = {
    folder,
    previewFile: (name: string) => join(folder, name),
    summary: { preset: 'nano', epochs: 2, ...of },
  };
  return saved && (await loadPreviews(run, [saved]));
};

it('shows image, reference and prediction of a fine-tuning, whose records name no phase', async () => {
  const previews = await load({ phase: null, images }, { pictures, slices: 12 });
  expect(previews).toMatchObject([{ step: 7, epoch: 1, phase: '3D' }]);
  expect(previews?.[0]?.images.map(({ titles, slices }) => [titles, slices])).toEqual([
    [['image', 'reference', 'prediction'], 12],
    [['image'], 12],
  ]);
  expect(await load({ phase: null, images }, { pictures })).toMatchObject([{ phase: '2D' }]);
});

it('names the images where the records do; those of earlier versions do not', async () => {
  const named = await load({ phase: '2D', images, names: ['ct/1.nii', null] });
  expect(named?.[0]?.images.map(({ name, titles }) => [name, titles])).toEqual([
    ['ct/1.nii', undefined],
    [undefined, undefined],
  ]);
  const earlier = await load({ phase: '2D', images });
  expect(earlier?.[0]?.images.map(({ name }) => name)).toEqual([undefined, undefined]);
  expect(savedPreview(event({ phase: '4D', images }))).toBeUndefined();
});

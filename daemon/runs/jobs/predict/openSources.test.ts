import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { NetworkPlan } from '../../folder/networkPlan.ts';
import { openSources } from './openSources.ts';

const base = mkdtempSync(join(tmpdir(), 'unimiss-sources-'));
afterAll(() => rmSync(base, { recursive: true }));

const network: NetworkPlan = {
  ...{ format: 1, problem: 'segmentation', modality: '3D', labels: 'exclusive', ignore: null, preset: 'nano' },
  ...{ classes: [{ name: 'background', values: [0] }], patch: [16, 32, 32], fit: 'crop' },
  ...{ spacing: [3, 1, 1], channels: [{ name: 'MR', normalization: { scheme: 'zScore' } }] },
};

/** An export without weights: these are only read when TensorFlow is opened. */
function exported(name: string, plan: unknown): string {
  const folder = join(base, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan));
  return folder;
}
const finetuned = (change: Partial<NetworkPlan> = {}) => ({
  ...{ format: 'unimiss-plan-1', task: 'finetune', step: 7, network: { ...network, ...change } },
});

it('the networks of several folders, and of a folder of folds, are found in the order of their names', async () => {
  const one = exported('folds/a', finetuned());
  exported('folds/b', finetuned());
  mkdirSync(join(base, 'folds/notes'));
  const other = exported('other', finetuned());
  expect((await openSources([one])).map(({ id }) => id)).toEqual(['a']);
  expect((await openSources([join(base, 'folds'), other])).map(({ id }) => id)).toEqual(['a', 'b', 'other']);
});

it('networks for other images or classes are not averaged; the field that differs is named', async () => {
  const one = exported('one', finetuned());
  const other = exported('coarse', finetuned({ spacing: [5, 1, 1] }));
  await expect(openSources([one, other])).rejects.toThrow(
    /coarse.*averaged with one: its spacing is \[5,1,1\], not \[3,1,1\]/s,
  );
});

it('what is no network for labels is refused with the way out', async () => {
  await expect(openSources([join(base, 'missing')])).rejects.toThrow(/no run "missing"[\s\S]*unimiss runs/);
  mkdirSync(join(base, 'empty'));
  await expect(openSources([join(base, 'empty')])).rejects.toThrow(/neither a run nor an export/);
  const pretrained = exported('pretrained', { format: 'unimiss-plan-1', task: 'pretrain', step: 1, network: null });
  await expect(openSources([pretrained])).rejects.toThrow(/"pretrain", which predicts no labels[\s\S]*finetune/);
  const broken = exported('broken', { format: 'unimiss-plan-2' });
  await expect(openSources([broken])).rejects.toThrow(/plan\.json.*not the plan of an export/s);
  const [source] = await openSources([exported('empty-weights', finetuned())]);
  await expect(source.openWeights('best', () => undefined)).rejects.toThrow(/model\.safetensors.*no such file/s);
});

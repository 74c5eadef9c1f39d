import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FinetuneGiven } from '../../../../../protocol/config/finetune/index.ts';
import { parseConfig } from '../../../../../protocol/config/parseConfig.ts';
import { presetSets } from '../../../../../test/labelled/presetSets.ts';
import { planDataset } from '../plan/planDataset.ts';
import { datasetPresets } from './index.ts';

const machine = { cores: 2, memory: 2 ** 35, gpu: null };
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'presets-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe.each(datasetPresets)('$name', (preset) => {
  it('a folder laid out as its page says is planned without a finding', async () => {
    const make = presetSets[preset.name];
    expect(make).toBeDefined();
    const path = (await make?.(join(root, preset.name))) ?? '';
    const { findings, config, fingerprint } = await planDataset(path, { machine, preset, folds: 2 });
    expect(findings).toEqual([]);
    expect(fingerprint).toMatchObject({ problem: preset.problem, modality: preset.modality });
    const parsed = parseConfig<FinetuneGiven>(config, preset.name);
    const { patch, fit, batch, epochs, channels } = preset.fixed;
    expect(parsed.plan).toMatchObject({ ...(patch && { patch }), ...(channels && { channels }), fit });
    expect(parsed.train).toMatchObject({ epochs, batch: expect.any(Number), ...preset.train });
    expect(parsed.train.batch).toBeLessThanOrEqual(batch ?? 0);
    expect(existsSync(preset.page)).toBe(true);
  });
});

it('another problem is refused, other labels are a warning', async () => {
  const preset = (name: string) => datasetPresets.find((one) => one.name === name)!;
  const isic = await presetSets.isic!(join(root, 'isic2'));
  await expect(planDataset(isic, { machine, preset: preset('bcv') })).rejects.toThrow(
    /is 2D segmentation.*preset BCV is 3D segmentation/s,
  );
  const chaos = await presetSets.chaos!(join(root, 'chaos2'));
  const { findings } = await planDataset(chaos, { machine, preset: preset('bcv'), folds: 2 });
  expect(findings.filter(({ kind }) => kind === 'preset')).toHaveLength(9);
});

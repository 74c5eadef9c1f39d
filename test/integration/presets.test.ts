import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planDataset } from '../../daemon/data/datasets/labelled/plan/planDataset.ts';
import { datasetPresets } from '../../daemon/data/datasets/labelled/presets/index.ts';
import { presetSets } from '../labelled/presetSets.ts';
import { onlyRun, recordsOf, temporaryFolder, unimiss } from './trainer.ts';

/** The parts that make a step long; everything else is as the preset says. */
const quick = (modality: '2D' | '3D') => [
  ...['model.preset=nano', `plan.patch=${modality === '2D' ? '[64,64]' : '[16,64,64]'}`],
  ...['train.batch=2', 'train.stepsPerEpoch=2', 'train.epochs=1'],
];

describe.each(datasetPresets)('$name', (preset) => {
  test('a folder laid out as its page says is planned and trained on for two steps', async () => {
    const own = temporaryFolder(preset.name);
    const path = (await presetSets[preset.name]?.(join(own, 'set'))) ?? '';
    const machine = { cores: 2, memory: 2 ** 35, gpu: null };
    const { config } = await planDataset(path, { machine, preset, folds: 2 });
    const file = join(own, 'preset.unimiss.jsonc');
    writeFileSync(file, config);
    const changes = quick(preset.modality).flatMap((change) => ['--set', change]);
    const { code, stderr } = await unimiss(own, ['finetune', file, '--foreground', ...changes]);
    expect(code, stderr).toBe(0);

    const run = onlyRun(own);
    const records = recordsOf(run);
    const steps = records.filter((record) => record.kind === 'step');
    expect(steps.map(({ group }) => group)).toEqual([preset.modality, preset.modality]);
    const [epoch, ...more] = records.filter((record) => record.kind === 'epoch');
    expect(more).toEqual([]);
    const best = preset.problem === 'segmentation' ? 'dice' : 'auc';
    expect(epoch?.values).toMatchObject({ validationLoss: expect.any(Number), [best]: expect.any(Number) });
    const network = JSON.parse(readFileSync(join(run, 'network.json'), 'utf8'));
    expect(network).toMatchObject({ problem: preset.problem, modality: preset.modality });
    const classes = (network.classes as { name: string }[]).map(({ name }) => name);
    // A single mask has no name of its own.
    if (preset.labels.length > 1) expect(classes).toEqual(expect.arrayContaining([...preset.labels]));
    const resolved = JSON.parse(readFileSync(join(run, 'config.resolved.json'), 'utf8'));
    expect(resolved.train).toMatchObject(preset.train);
  }, 120_000);
});

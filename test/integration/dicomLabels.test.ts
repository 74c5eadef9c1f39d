import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planDataset } from '../../daemon/data/datasets/labelled/plan/planDataset.ts';
import { putDicomPairs } from '../labelled/dicomSet.ts';
import { onlyRun, recordsOf, temporaryFolder, unimiss } from './trainer.ts';

test('DICOM series with DICOM segmentations are planned, trained on and evaluated', async () => {
  const own = temporaryFolder('dicom-labels');
  const set = await putDicomPairs(join(own, 'set'), 2);
  const machine = { cores: 2, memory: 2 ** 35, gpu: null };
  const { config, findings } = await planDataset(set, { machine, folds: 2 });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  const file = join(own, 'dicom.unimiss.jsonc');
  writeFileSync(file, config);
  const small = ['model.preset=nano', 'plan.patch=[16,64,64]', 'train.batch=2', 'train.stepsPerEpoch=2'];
  const changes = [...small, 'train.epochs=1'].flatMap((change) => ['--set', change]);
  const trained = await unimiss(own, ['finetune', file, '--foreground', ...changes]);
  expect(trained.code, trained.stderr).toBe(0);
  const run = onlyRun(own);
  const epochs = recordsOf(run).flatMap((record) => (record.kind === 'epoch' ? [record.values] : []));
  expect(epochs).toMatchObject([{ dice: expect.any(Number) }]);

  const evaluated = await unimiss(own, ['evaluate', run, '--foreground', '--json']);
  expect(evaluated.code, evaluated.stderr).toBe(0);
  expect(evaluated.stdout).toContain('"cases":1');
}, 120_000);

import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { basename, join } from 'node:path';
import { decode } from 'fast-png';
import { expect, test } from 'vitest';
import { readLabels, readVolume } from '../../daemon/data/formats/image.ts';
import { writeNifti } from '../../daemon/data/formats/niftiWriter.ts';
import { networkPlanSchema } from '../../daemon/runs/folder/networkPlan.ts';
import type { FinetuneInput } from '../../protocol/config/finetune/index.ts';
import { evaluation } from '../../protocol/evaluation/evaluation.ts';
import { viewableCases, viewableCasesFile } from '../../protocol/evaluation/viewableCases.ts';
import { picturesWithClasses, picturesWithMasks, volumesWithMasks } from './labelledPhantoms.ts';
import { Cli, onlyRun, runNames, temporaryFolder, unimiss, writeConfig } from './trainer.ts';

/** Trains a small network for a few steps; returns its folder and a function that calls a command in its place. */
async function trained(name: string, change: Pick<FinetuneInput, 'problem' | 'modality'> & Partial<FinetuneInput>) {
  const own = temporaryFolder(name);
  const config: FinetuneInput = {
    ...{ task: 'finetune', name: 'small', data: { path: '', folds: 2 }, model: { preset: 'nano' } },
    plan: { patch: change.modality === '2D' ? [64, 64] : [16, 64, 64] },
    train: { epochs: 1, stepsPerEpoch: 2, batch: 2, lr: 1e-3, seed: 3 },
    ...change,
  };
  const call = async (...args: string[]) => {
    const result = await unimiss(own, [...args, '--foreground']);
    expect(result.code, result.stderr).toBe(0);
    return result;
  };
  await call('finetune', writeConfig(own, config));
  return { own, run: onlyRun(own), call };
}

const evaluationOf = (run: string, viewer = false) => {
  const [name] = readdirSync(join(run, 'evaluations'));
  const folder = join(run, 'evaluations', name!);
  const files = ['cases.csv', 'classes.csv', 'evaluation.json', 'report.html', ...(viewer ? ['viewer.json'] : [])];
  expect(readdirSync(folder).sort()).toEqual(files);
  return evaluation.parse(JSON.parse(readFileSync(join(folder, 'evaluation.json'), 'utf8')));
};

test('volumes: from training over numbers with a report to labels in the grid of each image', async () => {
  const images = join(temporaryFolder('volumes'), 'images');
  const path = await volumesWithMasks(images, 4);
  const { own, run, call } = await trained('segmented', {
    ...{ problem: 'segmentation', modality: '3D', data: { path, folds: 2 } },
  });

  const planOf = () => networkPlanSchema.parse(JSON.parse(readFileSync(join(run, 'network.json'), 'utf8')));
  const afterTraining = planOf();
  await call('evaluate', run);
  const measured = evaluationOf(run, true);
  if (measured.problem !== 'segmentation') throw new Error('not a segmentation');
  // The viewer finds image, reference and what the network said, in the grid of the image.
  const [name] = readdirSync(join(run, 'evaluations'));
  const shown = viewableCases.parse(
    JSON.parse(readFileSync(join(run, 'evaluations', name!, viewableCasesFile), 'utf8')),
  );
  expect(shown.cases.map((one) => [one.case, one.dice])).toEqual(measured.cases.map((one) => [one.case, one.dice]));
  for (const { image, labels } of shown.cases) {
    expect(labels).toHaveLength(1);
    const [reference, prediction] = [await readLabels(labels[0]!.reference), await readLabels(labels[0]!.prediction)];
    expect(labels[0]!.prediction.startsWith(join(run, 'measured'))).toBe(true);
    expect(prediction.grid.affine).toEqual((await readVolume(image)).grid.affine);
    expect(prediction.data).toHaveLength(reference.data.length);
  }
  expect(measured).toMatchObject({ split: 'validation', exclusions: [], leakage: { state: 'none' } });
  expect(measured.cases).toHaveLength(2);
  // The evaluation of the validation cases finds what the training has found at its end.
  expect(afterTraining.largestComponent?.length).toBeGreaterThan(0);
  expect(planOf()).toEqual(afterTraining);
  const report = readFileSync(
    join(run, 'evaluations', readdirSync(join(run, 'evaluations'))[0]!, 'report.html'),
    'utf8',
  );
  expect(report).toContain('Not for clinical use');

  const out = join(own, 'labels');
  const input = join(path, 'imagesTr');
  const first = await call('predict', run, input, '-o', out, '--statistics');
  expect(first.stdout.match(/labels\/case\d+_0000\.nii\.gz/g)).toHaveLength(4);
  expect(existsSync(join(out, 'statistics.csv'))).toBe(true);
  const again = await call('predict', run, input, '-o', out, '--statistics');
  expect(again.stderr).toContain('Skipped 4 images');

  // The same patient in a file whose axes run the other way: the same labels, in that file's grid.
  const [source] = readdirSync(input).map((name) => join(input, name));
  const image = await readVolume(source!);
  const { shape, spacing, data } = image.volume;
  const [d, h, w] = shape;
  const turned = data.slice().reverse();
  const affine = image.affine.map(([a, b, c, t]) => [-a, -b, -c, t + a * (d - 1) + b * (h - 1) + c * (w - 1)]);
  const flipped = join(own, 'flipped.nii.gz');
  await writeNifti(flipped, { shape, spacing, data: turned, affine: affine as never });
  await call('predict', run, flipped, '-o', join(own, 'flipped-labels'));
  const labels = await readLabels(join(out, `${source!.split('/').at(-1)}`));
  const same = await readLabels(join(own, 'flipped-labels', 'flipped.nii.gz'));
  expect(same.grid.affine).toEqual((await readVolume(flipped)).grid.affine);
  expect(same.grid.affine).not.toEqual(labels.grid.affine);
  // Read into the same axes again, they are the same voxel by voxel.
  expect(Buffer.from(same.data).equals(Buffer.from(labels.data))).toBe(true);
  expect([...(labels.grid.labelNames?.values() ?? [])]).toContain('body');
}, 240_000);

test('pictures with overlapping masks: a mask a class', async () => {
  const path = picturesWithMasks(join(temporaryFolder('masks'), 'images'), 4);
  const { own, run, call } = await trained('overlapping', {
    ...{ problem: 'segmentation', modality: '2D', labels: 'overlapping', data: { path, folds: 2 } },
  });
  await call('evaluate', run);
  const measured = evaluationOf(run, true);
  if (measured.problem !== 'segmentation') throw new Error('not a segmentation');
  expect(measured.cases[0]?.shape).toHaveLength(2);
  expect(measured.classes.map((one) => one.class)).toEqual(['body', 'lungs']);
  const out = join(own, 'masks');
  await call('predict', run, join(path, 'images'), '-o', out);
  const masks = readdirSync(out).filter((name) => name.endsWith('.png'));
  expect(masks).toHaveLength(8);
  const { width, height, data } = decode(readFileSync(join(out, masks[0]!)));
  expect([width, height]).toEqual([72, 72]);
  for (const value of new Set(data)) expect([0, 255]).toContain(value);
}, 240_000);

test('pictures of classes: probabilities in a table, and an image that is none is named', async () => {
  const path = picturesWithClasses(join(temporaryFolder('classes'), 'images'), 8);
  const { own, run, call } = await trained('classified', {
    ...{ problem: 'classification', modality: '2D', data: { path, folds: 2 } },
  });
  await call('evaluate', run);
  const measured = evaluationOf(run);
  if (measured.problem !== 'classification') throw new Error('not a classification');
  const names = measured.classes.map((one) => one.class);
  const out = join(own, 'predicted');
  await call('predict', run, path, '-o', out);
  const [head, ...rows] = readFileSync(join(out, 'predictions.csv'), 'utf8').trim().split('\n');
  expect(head).toBe(['path', 'predicted', ...names].join(','));
  expect(rows).toHaveLength(8);
  for (const row of rows) {
    const values = row.split(',').slice(2).map(Number);
    expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
    expect(names[values.indexOf(Math.max(...values))]).toBe(row.split(',')[1]);
  }
}, 240_000);

test('a run is compared with its twin from scratch, which is found by itself, and with any run that is named', async () => {
  const path = picturesWithClasses(join(temporaryFolder('twins'), 'images'), 8);
  const { own, run, call } = await trained('compared', {
    ...{ problem: 'classification', modality: '2D', data: { path, folds: 2 } },
  });
  const config = join(run, 'config.unimiss.jsonc');
  await call('finetune', config, '--from', run, '--from-scratch-twin', '--set', 'name=second');
  const folderOf = (name: string) => join(own, 'runs', runNames(own).find((one) => one.startsWith(name))!);
  const [second, twin] = [folderOf('second-2'), folderOf('second-scratch-')];
  const classified = (folder: string) => {
    const measured = evaluationOf(folder);
    if (measured.problem !== 'classification') throw new Error('not a classification');
    return measured;
  };

  const { stdout } = await call('evaluate', second, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ against: basename(twin) });
  const { comparison, cases } = classified(second);
  expect(comparison).toMatchObject({ with: basename(twin), twin: true, checkpoint: 'step 2' });
  await call('evaluate', twin, '--alone');
  const others = classified(twin);
  expect(others.comparison).toBeUndefined();
  // The effect is what the cases of both evaluations say: here a case is a patient.
  const brier = ({ probabilities, reference }: (typeof cases)[number]) =>
    probabilities.reduce((sum, p, k) => sum + (p - (reference.includes(k) ? 1 : 0)) ** 2, 0);
  const differences = cases.map((one) => brier(one) - brier(others.cases.find((other) => other.case === one.case)!));
  const test = comparison?.tests.find(({ metric }) => metric === 'brier');
  expect(differences).toHaveLength(4);
  expect(test).toMatchObject({ pairs: 4, exact: true });
  expect(test?.effect).toBeCloseTo(differences.reduce((a, b) => a + b, 0) / 4, 6);
  expect(test?.sentence).toMatch(/^4 pairs are too few to tell the two runs apart/);
  const report = readFileSync(join(second, 'evaluations/validation-2/report.html'), 'utf8');
  expect(report).toContain(`Compared with ${basename(twin)}`);
  expect(report).toContain('4 pairs are too few');

  await call('evaluate', twin);
  expect(classified(twin).comparison).toMatchObject({ with: basename(second), twin: true });
  await call('evaluate', run, '--against', basename(second));
  expect(classified(run).comparison).toMatchObject({ with: basename(second), twin: false });

  const elsewhere = picturesWithClasses(join(temporaryFolder('elsewhere'), 'images'), 8);
  await call('finetune', config, '--set', `data.path=${elsewhere}`, '--set', 'name=third');
  const refused = await unimiss(own, ['evaluate', run, '--against', folderOf('third'), '--foreground']);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/`data.path` is .*elsewhere.*, but that of .* is .*twins/);
}, 240_000);

test('an evaluation that is killed goes on behind the cases that it has measured', async () => {
  const path = picturesWithMasks(join(temporaryFolder('killed-masks'), 'images'), 24);
  const { own, run, call } = await trained('killed', {
    ...{ problem: 'segmentation', modality: '2D', labels: 'overlapping', data: { path, folds: 2 } },
  });
  const file = join(run, 'measured.jsonl');
  const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);
  const watcher = watch(run);
  const cli = new Cli(own, ['evaluate', run, '--foreground']);
  watcher.on('change', () => lines().length >= 2 && cli.kill('SIGKILL'));
  const { signal, stderr } = await cli.finished;
  watcher.close();
  const before = lines();
  expect(signal, stderr).toBe('SIGKILL');
  expect(before.length).toBeGreaterThanOrEqual(2);
  expect(before.length).toBeLessThan(12);
  expect(existsSync(join(run, 'evaluations'))).toBe(false);
  appendFileSync(file, '{"key":"torn'); // as a kill in the middle of a write leaves it

  await call('evaluate', run);
  const { time: _, ...resumed } = evaluationOf(run, true);
  expect(resumed.cases).toHaveLength(12);
  // What was measured was not measured again.
  const after = lines();
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after).toHaveLength(12 + 1);
  rmSync(file);
  const out = join(own, 'unbroken');
  await call('evaluate', run, '--out', out);
  const { time: __, ...unbroken } = evaluation.parse(JSON.parse(readFileSync(join(out, 'evaluation.json'), 'utf8')));
  expect(resumed).toEqual(unbroken);
  const planesOf = (page: string) => /<script[^>]*planes[^>]*>(.*?)<\/script>/s.exec(page)?.[1];
  const [name] = readdirSync(join(run, 'evaluations'));
  const pages = [join(run, 'evaluations', name!), out].map((folder) =>
    readFileSync(join(folder, 'report.html'), 'utf8'),
  );
  expect(planesOf(pages[0]!)).toBeTruthy();
  expect(planesOf(pages[0]!)).toBe(planesOf(pages[1]!));

  // The same again measures nothing; another way of measuring measures all.
  const before2 = lines().length;
  await call('evaluate', run, '--out', out);
  expect(lines()).toHaveLength(before2);
  await call('evaluate', run, '--out', out, '--tolerance', '3');
  expect(lines()).toHaveLength(2 * before2);
}, 240_000);

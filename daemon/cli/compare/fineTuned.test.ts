import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, expect, test } from 'vitest';
import { projectionTissues } from '../../data/phantoms/projection.ts';
import { writePhantoms } from '../../data/phantoms/write.ts';
import { listRuns } from '../../runs/records/list.ts';
import { Reporter } from '../terminal/reporter.ts';
import { compare } from './compare.ts';
import { type CompareSteps, compareHere } from './steps.ts';

const dir = mkdtempSync(join(tmpdir(), 'compare-'));
afterAll(() => rmSync(dir, { recursive: true }));

const experiment = {
  name: 'real',
  base: {
    data: { manifest: 'train/manifest.csv', workers: 0 },
    model: { preset: 'nano' },
    train: { epochs: 1, stepsPerEpoch: 1, batch: { '2D': 2 } },
    engine: { executor: 'graph' },
  },
  arms: { only2D: {} },
  seeds: [1],
  test: { manifest: 'test/manifest.csv' },
  tasks: ['classification', 'segmentation'],
  fineTuning: {
    manifest: 'pool/manifest.csv',
    recipe: {
      all: { train: { epochs: 1, stepsPerEpoch: 1, batch: 2, earlyStopping: null }, data: { workers: 0 } },
      '2D': { plan: { patch: [64, 64] } },
      segmentation: { train: { deepSupervision: false } },
    },
    structures: { '2D': projectionTissues },
  },
  labels: [1],
  primary: { task: 'segmentation', modality: '2D', labels: 1, better: 'only2D', than: 'scratch' },
  resamples: 100,
};

/** Dies after an evaluation is written and before it has its name. */
function dying(steps: CompareSteps): CompareSteps {
  return {
    ...steps,
    async evaluate(folder, checkpoint, out) {
      await steps.evaluate(folder, checkpoint, out);
      throw new Error('killed');
    },
  };
}

test('real networks are fine-tuned, classify and segment; a killed evaluation is repeated', async () => {
  const image = 64;
  for (const [name, seed, images] of [
    ['train', 1, 2],
    ['pool', 2, 8],
    ['test', 3, 4],
  ] as const)
    await writePhantoms(join(dir, name), { seed, volumes: 0, images, size: { image } });
  const file = join(dir, 'real.experiment.jsonc');
  writeFileSync(file, JSON.stringify(experiment));
  const silent = new Writable({ write: (_, __, done) => done() }) as unknown as NodeJS.WriteStream;
  const reporter = new Reporter({ out: silent, err: silent });
  const [out, runs] = [join(dir, 'out'), join(dir, 'runs')];
  const steps = compareHere(reporter);
  await expect(compare(file, { out, runs }, dying(steps), reporter)).rejects.toThrow('killed');
  await compare(file, { out, runs }, steps, reporter);

  const all = (await listRuns(runs)).runs;
  const tunings = ['only2D', 'scratch'].flatMap((arm) => ['c2D', 's2D'].map((task) => `real-${arm}-${task}-n1-s1`));
  expect(all.map(({ name }) => name).sort()).toEqual(['real-only2D-s1', ...tunings].sort());
  expect(all.every(({ state, experiment }) => state === 'finished' && experiment === 'real')).toBe(true);
  const pretrained = all.find(({ name }) => name === 'real-only2D-s1');
  const from = (name: string) => all.find((run) => run.name === name)?.from;
  expect(from('real-only2D-c2D-n1-s1')).toBe(pretrained?.folder);
  expect(from('real-scratch-c2D-n1-s1')).toBeNull();
  const { scores } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
  expect(scores).toHaveLength(4);
  for (const { task, accuracies, patients } of scores) {
    expect(patients).toBe(4);
    const [score] = accuracies;
    expect(score).toBeGreaterThanOrEqual(0);
    expect(score).toBeLessThanOrEqual(1);
    if (task === 'classification') expect((4 * score) % 1).toBe(0); // right or wrong, of four
  }
}, 300_000);

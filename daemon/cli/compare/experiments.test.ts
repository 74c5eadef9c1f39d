import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { fixExperiment, readExperiment } from './experimentFile.ts';
import { fineTunings } from './fineTunings.ts';
import { ScoreLedger } from './scoreLedger.ts';

const folder = fileURLToPath(new URL('../../../experiments/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.experiment.jsonc'));

it.each(files)('%s is valid, and its phantoms have seeds of their own', async (name) => {
  const { experiment, phantoms } = await readExperiment(join(folder, name));
  const seeds = phantoms.map(({ options }) => options.seed);
  expect(new Set(seeds).size).toBe(seeds.length);
  expect(fineTunings(experiment).length).toBeGreaterThan(0);
});

it('the three questions are asked with at least five seeds', async () => {
  const { experiment } = await readExperiment(join(folder, 'three-questions.experiment.jsonc'));
  expect(experiment.seeds.length).toBeGreaterThanOrEqual(5);
  expect(experiment.labels).toEqual([1, 4, 16]);
});

it('the three questions are those that were fixed before their first run, and so are their scores', async () => {
  const opened = await readExperiment(join(folder, 'three-questions.experiment.jsonc'));
  const results = join(folder, 'three-questions.experiment.results');
  expect(existsSync(join(results, 'experiment.json'))).toBe(true);
  expect(await fixExperiment(results, opened)).toBe('2026-11-29T04:29:18.461Z');
  await ScoreLedger.open(results, opened.hash);
});

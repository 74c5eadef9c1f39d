import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pretrainingOf, questionsFor } from './resultsParts.mjs';
import { root } from './setup.mjs';

const fixed = readFileSync(join(root, 'experiments', 'three-questions.experiment.jsonc'), 'utf8');

test('all seeds ask the questions as they are fixed, one seed differs in its list alone', () => {
  expect(questionsFor([1, 2, 3, 4, 5])).toBe(fixed);
  const differing = questionsFor([2])
    .split('\n')
    .filter((line, i) => line !== fixed.split('\n')[i]);
  expect(differing).toEqual(['  "seeds": [2],']);
  expect(() => questionsFor([7])).toThrow('The experiment has the seeds 1, 2, 3, 4, 5, not 7.');
});

test('the pre-training of a demo is the run with a page, not a fine-tuned one', () => {
  const printed = [
    '{"kind":"step"}',
    '{"run":"/runs/a","page":"/runs/a/report.html"}',
    '{"fineTuned":"/runs/b","report":"c"}',
  ];
  expect(pretrainingOf(printed.join('\n'))).toBe('/runs/a');
  expect(() => pretrainingOf('{"kind":"step"}')).toThrow('The demo printed no run.');
});

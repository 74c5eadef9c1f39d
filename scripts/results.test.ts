import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { begun, pretrainingOf, questionsFor } from './resultsParts.mjs';
import { root } from './setup.mjs';

const fixed = readFileSync(join(root, 'experiments', 'three-questions.experiment.jsonc'), 'utf8');

test('all seeds ask the questions as they are fixed, one seed differs in its list alone', () => {
  expect(questionsFor([1, 2, 3, 4, 5])).toBe(fixed);
  const differing = questionsFor([2])
    .split('\n')
    .filter((line, i) => line !== fixed.split('\n')[i]);
  expect(differing).toEqual(['  "seeds": [2],']);
  expect(() => questionsFor([7])).toThrow('The experiment has the seeds 1, 2, 3, 4, 5, not 7.');
  expect(questionsFor([1], true)).toContain('"name": "small"');
});

test('a folder that was begun with other options is refused before anything is measured', () => {
  const out = mkdtempSync(join(tmpdir(), 'unimiss-results-'));
  onTestFinished(() => rmSync(out, { recursive: true }));
  const usual = { quick: false, asked: questionsFor([1]) };
  const files = begun(out, usual);
  expect(Object.keys(files).map((path) => basename(path))).toEqual(['options.json', 'questions.experiment.jsonc']);
  for (const [path, text] of Object.entries(files)) writeFileSync(path, text);
  expect(begun(out, usual)).toEqual(files);
  expect(begun(out, { ...usual, asked: undefined })).toHaveProperty([join(out, 'options.json')]);
  expect(() => begun(out, { quick: true, asked: undefined })).toThrow('options.json was written with other options');
  expect(() => begun(out, { ...usual, asked: questionsFor([1, 2]) })).toThrow('questions.experiment.jsonc was written');
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

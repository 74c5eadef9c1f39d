import { expect, it } from 'vitest';
import { LargestComponentTrial } from './largestComponentTrial.ts';

const size = [1, 1, 9] as const;
const case_ = (reference: number[], prediction: number[]) => ({
  size,
  reference: Uint8Array.from(reference),
  prediction: Uint8Array.from(prediction),
});

it('names the classes that gain on the cases together: those with false islands, not those that come in two parts', () => {
  const trial = new LargestComponentTrial(['background', 'liver', 'kidneys', 'spleen'], true);
  trial.note(trial.changesOf(case_([1, 1, 1, 0, 0, 2, 2, 0, 2], [1, 1, 1, 0, 1, 2, 2, 0, 2])));
  expect(trial.classes).toEqual(['liver']);
  trial.note(trial.changesOf(case_([1, 0, 1, 1, 0, 0, 0, 0, 0], [1, 0, 1, 1, 0, 0, 0, 0, 0])));
  // It loses more of the second liver, which has two parts, than it gains in the first.
  expect(trial.classes).toEqual([]);
});

it('counts nothing where the reference is unknown', () => {
  const trial = new LargestComponentTrial(['background', 'liver'], true);
  trial.note(trial.changesOf(case_([1, 1, 0, 255, 255, 255, 0, 0, 0], [1, 1, 0, 0, 1, 0, 0, 0, 0])));
  expect(trial.classes).toEqual([]);
});

it('treats overlapping classes one by one', () => {
  const trial = new LargestComponentTrial(['organ', 'tumour'], false);
  const organ = [1, 1, 1, 1, 0, 0, 0, 0, 0];
  const tumour = [0, 1, 0, 0, 0, 0, 0, 0, 0];
  trial.note(trial.changesOf(case_([...organ, ...tumour], [...organ, 0, 1, 0, 0, 0, 0, 1, 0, 0])));
  expect(trial.classes).toEqual(['tumour']);
});

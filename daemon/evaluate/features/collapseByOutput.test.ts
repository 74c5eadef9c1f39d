import { expect, test } from 'vitest';
import { type OutputCollapse, outputWarnings } from './collapseByOutput.ts';

const sizes = { outputs: 256, featureLength: 24, batch: 8 };
const learning = { teacherEntropy: 2, klToUniform: 1, featureStd: 0.17, effectiveRank: 9, across: 2 };
const outputs = (volume: Partial<OutputCollapse>, slices: Partial<OutputCollapse> = {}): OutputCollapse[] => [
  { output: 'volume', ...learning, ...volume },
  { output: 'slices', ...learning, ...slices },
];

test('a run that learns is not warned', () => {
  expect(outputWarnings(outputs({}), sizes)).toEqual([]);
  // At the beginning both know nothing.
  expect(outputWarnings(outputs({ featureStd: 0.02, across: 5.6 }, { featureStd: 0.021, across: 5.6 }), sizes)).toEqual(
    [],
  );
});

test('volumes that collapse while their slices learn are named', () => {
  const [warning, ...others] = outputWarnings(outputs({ featureStd: 0.018 }), sizes);
  expect(others).toEqual([]);
  expect(warning?.what).toMatch(
    /volumes look nearly alike .*\(deviation 0\.018\), while their slices do not \(0\.17\)/,
  );
  expect(warning?.advice).toMatch(/train\.centers/);
});

test('a student that contradicts the teacher of the other output is named with both numbers', () => {
  const warnings = outputWarnings(outputs({ across: 5.97 }), sizes);
  expect(warnings.map(({ what }) => what)).toEqual([
    expect.stringMatching(/From the slices, .* the volumes worse than by guessing \(5\.97 nats; guessing has 5\.55\)/),
  ]);
});

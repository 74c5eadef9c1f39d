import { beforeAll, expect, test, vi } from 'vitest';
import { testEngine } from '../../test/engine.ts';
import type { Engine } from '../engine/index.ts';
import { presets } from '../model/config.ts';
import { seededValues } from '../train/parameters/firstValues.ts';
import { createPretrainState } from '../train/pretrain/state.ts';
import { createBackbone } from './network.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

/** MiB of the variables that `make` makes. */
function variablesOf(make: () => { dispose(): void }): number {
  const variable = vi.spyOn(engine, 'variable');
  try {
    make().dispose();
    const values = variable.mock.results.map(({ value }) => (value as { size: number }).size);
    return (4 * values.reduce((a, b) => a + b, 0)) / 2 ** 20;
  } finally {
    variable.mockRestore();
  }
}

test('takes a quarter of the memory of a training state, without the head', () => {
  const { nano } = presets;
  const before = variablesOf(() => createPretrainState(engine, nano, null));
  const after = variablesOf(() => createBackbone(engine, nano, 'teacher').parameters);
  expect(before).toBeGreaterThan(10);
  expect(after).toBeGreaterThan(1);
  expect(after).toBeLessThan(before / 4);
});

test('has the given values, and those of a checkpoint', async () => {
  const state = createPretrainState(engine, presets.nano, 3);
  const seeded = createBackbone(engine, presets.nano, 'student', seededValues(3));
  const loaded = createBackbone(engine, presets.nano, 'student');
  const tensors = new Map(state.tensors().map(({ name, read }) => [name, read]));
  await loaded.parameters.load((name) => tensors.get(name)?.());
  for (const { name } of seeded.parameters.learning.filter((_, i) => i % 20 === 0)) {
    const expected = state.student.variable(name).value();
    expect(seeded.parameters.variable(name).value()).toEqual(expected);
    expect(loaded.parameters.variable(name).value()).toEqual(expected);
  }
  state.dispose();
  for (const { parameters } of [seeded, loaded]) parameters.dispose();
});

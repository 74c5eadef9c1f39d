import { expect, it } from 'vitest';
import { configKinds } from '../../../protocol/config/index.ts';
import { makeConfig } from '../../../protocol/config/makeConfig.ts';
import { checkConfig } from '../../../protocol/config/parseConfig.ts';
import type { Forecast } from '../../../protocol/runs/forecast.ts';
import { epochsWithin, withBudget, withNote, wrongHours } from './budget.ts';

const forecast: Forecast = {
  ...{ task: 'pretrain', name: 'ct', images: [], unreadable: { count: 0, first: [] }, skipped: 0 },
  ...{ epochs: 200, steps: 1000, phases: [], device: 'AMD EPYC', memory: null, disk: null, concerns: [], notices: [] },
  time: { seconds: 7200, basis: 'estimated', from: 'sizes' },
};

it('counts whole cycles of epochs that fit into a time', () => {
  expect(epochsWithin(forecast, 1)).toBe(100);
  expect(epochsWithin(forecast, 0.52)).toBe(52);
  expect(epochsWithin(forecast, 0.001)).toBe(4);
  expect(epochsWithin(forecast, 1e6)).toBe(100_000);
  expect(epochsWithin({ ...forecast, time: null }, 1)).toBeUndefined();
});

it('writes a valid configuration with comments that says why it has its epochs', () => {
  const made = makeConfig({ folders: ['/ct'], preset: 'tiny' });
  const { text, why } = withBudget(made, forecast, { hours: 10 });
  const noted = withNote(text, ['Made for "/ct".\n*/ {', why]);
  expect(why).toMatch(/^1,?000 epochs fit into .* on AMD EPYC \(estimated\)\.$/);
  expect(noted).toContain(`// Made for "/ct". */ {\n// ${why}\n`);
  expect(noted).toContain('// nano (for trying things out)');
  const { config, problems } = checkConfig(noted, configKinds);
  expect(problems).toEqual([]);
  expect(config).toMatchObject({ train: { epochs: 1000 } });
});

it('keeps the usual epochs without a budget, or where nothing is known', () => {
  const made = makeConfig({ folders: ['/ct'] });
  expect(withBudget(made, forecast, { hours: undefined }).text).toBe(made);
  expect(withBudget(made, { ...forecast, time: null }, { hours: 1 }).text).toBe(made);
});

it('takes hours as people write them', () => {
  for (const right of ['1', '0.5', '0,5', ' 12 ']) expect(wrongHours(right)).toBeUndefined();
  for (const wrong of ['', ' ', '0', '-1', 'a night', '1e9', 'NaN']) expect(wrongHours(wrong)).toMatch(/hours/);
});

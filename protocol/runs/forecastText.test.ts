import { expect, it } from 'vitest';
import type { Forecast } from './forecast.ts';
import { concernText, forecastLine, forecastRows } from './forecastText.ts';

const phase = {
  images: 7,
  batch: 8,
  epochs: 100,
  steps: 100,
  secondsPerStep: { seconds: 1, basis: 'estimated' },
} as const;
const forecast: Forecast = {
  ...{ task: 'pretrain', name: 'chest', device: 'AMD EPYC', skipped: 0, epochs: 200, steps: 12_000 },
  images: [
    { what: '2D image', count: 7 },
    { what: 'volume', count: 1 },
  ],
  unreadable: { count: 7, first: Array.from({ length: 7 }, (_, i) => ({ name: `${i}.nii`, reason: 'is empty' })) },
  phases: [
    { group: '2D', ...phase },
    { group: '3D', ...phase },
  ],
  time: { seconds: 360, basis: 'estimated', from: 'the size of the network' },
  memory: { bytes: 1.6 * 2 ** 30, available: 8 * 2 ** 30, basis: 'measured' },
  ...{ disk: null, concerns: [], notices: [] },
};

it('is one line for the editor', () => {
  expect(forecastLine(forecast)).toBe(
    '7 2D images, 1 volume (7 unreadable) · 12,000 steps in 200 epochs · about 6 min (estimated) · 1.6 GiB memory · AMD EPYC',
  );
});

it('says in the shell what is measured, and names unreadable files', () => {
  expect(forecastRows(forecast)).toEqual([
    ['Images', '7 2D images, 1 volume'],
    ['Unreadable', `7: ${[0, 1, 2, 3, 4].map((i) => `${i}.nii: is empty`).join('\n')}\nand 2 more`],
    ['Training', '12,000 steps in 200 epochs: 100 epochs of 2D with 1 step each, 100 epochs of 3D with 1 step each'],
    ['Device', 'AMD EPYC'],
    ['Time', 'about 6 min (estimated: the size of the network)'],
    ['Memory', 'about 1.6 GiB of 8.0 GiB (measured)'],
  ]);
});

it('says that a time is unknown, and nothing about a run that cannot be planned', () => {
  expect(forecastRows({ ...forecast, time: null })).toContainEqual(['Time', expect.stringMatching(/^unknown: no run/)]);
  const none = {
    ...forecast,
    images: [],
    unreadable: { count: 0, first: [] },
    steps: 0,
    phases: [],
    time: null,
    memory: null,
  };
  expect(forecastRows(none)).toEqual([
    ['Images', 'no images'],
    ['Device', 'AMD EPYC'],
  ]);
});

it('a concern names the field and the remedy', () => {
  const concern = { severity: 'warning', field: 'train.lr', message: 'is high', remedy: 'Lower it.' } as const;
  expect(concernText(concern)).toBe('Warning: train.lr: is high.\n  Lower it.');
});

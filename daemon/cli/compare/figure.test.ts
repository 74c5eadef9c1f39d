import fc from 'fast-check';
import { expect, it } from 'vitest';
import { figureFile, spread } from './figure.ts';

const line = (name: string, y: number) => ({
  name,
  points: [1, 4, 16].map((x) => ({ x, y: y + x / 100, low: y - 0.05, high: y + x / 100 + 0.05 })),
});
const figure = (lines: ReturnType<typeof line>[], chance?: number) =>
  figureFile({
    ...{ id: 'f', title: 'Probe', x: 'labels of each class', y: 'Accuracy', lines },
    ...(chance !== undefined && { chance }),
  });

it('lines differ by marker and dashes, not by colour alone, and bear their names', () => {
  const svg = figure(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name, i) => line(name, 0.3 + i / 20)));
  const dashes = [...svg.matchAll(/stroke-dasharray="([^"]*)"/g)].map(([, dash]) => dash);
  expect(new Set(dashes).size).toBe(8);
  const markers = [...svg.matchAll(/<path d="M[\d.-]+ [\d.-]+([^"]*)" fill="[^"]*"\/>/g)].map(([, shape]) => shape);
  expect(new Set(markers).size).toBe(8);
  for (const name of ['a', 'h']) expect(svg).toContain(`dy="4">${name}</text>`);
});

it('the axis holds all intervals and chance; names are escaped', () => {
  const svg = figure([line('<i>', 0.62)], 0.25);
  expect(svg).toContain('&lt;i&gt;');
  expect(svg).not.toContain('<i>');
  const heights = [...svg.matchAll(/ y[12]?="([\d.-]+)"/g)].map(([, y]) => Number(y));
  expect(Math.min(...heights)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...heights)).toBeLessThanOrEqual(380);
  expect(svg).toContain('>0.2<');
});

it('names never cover each other where there is room', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 15 }), (wanted) => {
      const placed = spread(wanted, 15, 0, 300).sort((a, b) => a - b);
      for (const [i, y] of placed.entries()) {
        expect(y).toBeGreaterThanOrEqual(0);
        expect(y).toBeLessThanOrEqual(300);
        if (i > 0) expect(y - (placed[i - 1] ?? 0)).toBeGreaterThanOrEqual(15 - 1e-9);
      }
    }),
  );
});

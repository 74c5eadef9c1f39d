import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { randomCropBox } from './randomCrop.ts';

const area = [0.14, 1] as const;
const aspect = [3 / 4, 4 / 3] as const;
const side = fc.integer({ min: 1, max: 700 });

describe('randomCropBox', () => {
  it('lies in the image, whatever its size', () => {
    fc.assert(
      fc.property(fc.integer(), side, side, (seed, height, width) => {
        const box = randomCropBox(new Random(seed), height, width, area, aspect);
        expect(Object.values(box).every(Number.isInteger)).toBe(true);
        expect(Math.min(box.height, box.width)).toBeGreaterThanOrEqual(1);
        expect(Math.min(box.top, box.left)).toBeGreaterThanOrEqual(0);
        expect(box.top + box.height).toBeLessThanOrEqual(height);
        expect(box.left + box.width).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('has areas and aspect ratios spread over their ranges', () => {
    const random = new Random('boxes');
    // Areas up to a half always fit a square, so no draw is rejected and the distributions are exact.
    const boxes = Array.from({ length: 4000 }, () => randomCropBox(random, 1000, 1000, [0.14, 0.5], aspect));
    const areas = boxes.map((box) => (box.height * box.width) / 1e6);
    const ratios = boxes.map((box) => Math.log(box.width / box.height) / Math.log(4 / 3));
    expect(Math.min(...areas)).toBeGreaterThan(0.138);
    expect(Math.max(...areas)).toBeLessThan(0.502);
    expect(quantile(areas, 0.5)).toBeCloseTo(0.32, 1);
    expect(quantile(areas, 0.25)).toBeCloseTo(0.23, 1);
    expect(Math.max(...ratios.map(Math.abs))).toBeLessThan(1.01);
    for (const q of [0.1, 0.25, 0.5, 0.75, 0.9]) expect(Math.abs(quantile(ratios, q) - (2 * q - 1))).toBeLessThan(0.08);
    const places = boxes.map((box) => box.left / (1000 - box.width));
    for (const q of [0.1, 0.5, 0.9]) expect(Math.abs(quantile(places, q) - q)).toBeLessThan(0.04);
  });

  it('falls back to the largest central box where nothing fits', () => {
    // A square crop of at least 14 % of a 10 × 1000 image is 37 pixels high.
    expect(randomCropBox(new Random(1), 10, 1000, area, aspect)).toEqual({ top: 0, left: 493, height: 10, width: 13 });
    expect(randomCropBox(new Random(1), 1000, 10, area, aspect)).toEqual({ top: 493, left: 0, height: 13, width: 10 });
    expect(randomCropBox(new Random(1), 12, 12, [4, 5], aspect)).toEqual({ top: 0, left: 0, height: 12, width: 12 });
  });
});

function quantile(values: number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(q * values.length)]!;
}

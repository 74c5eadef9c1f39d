import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { adjustBrightness } from './brightness2D.ts';
import { adjustHue } from './hue2D.ts';
import { applyJitter, drawJitter } from './jitter.ts';

const strength = { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1 };

describe('jitter', () => {
  it('draws each adjustment once, from its range, in every order', () => {
    const random = new Random('jitter');
    const n = 4800;
    const orders = new Map<string, number>();
    const amounts = new Map<string, number[]>();
    for (let i = 0; i < n; i++) {
      const steps = drawJitter(random, strength);
      const order = steps.map(([name]) => name).join(' ');
      orders.set(order, (orders.get(order) ?? 0) + 1);
      for (const [name, amount] of steps) amounts.set(name, [...(amounts.get(name) ?? []).slice(-999), amount]);
    }
    expect(orders.size).toBe(24);
    const chiSquare = [...orders.values()].reduce((sum, c) => sum + (c - n / 24) ** 2 / (n / 24), 0);
    expect(chiSquare).toBeLessThan(49.7); // 23 degrees of freedom, p = 0.001
    const ranges = { brightness: [0.6, 1.4], contrast: [0.6, 1.4], saturation: [0.8, 1.2], hue: [-0.1, 0.1] } as const;
    for (const [name, [low, high]] of Object.entries(ranges)) {
      const drawn = amounts.get(name)!;
      const width = high - low;
      expect(Math.min(...drawn)).toBeGreaterThanOrEqual(low);
      expect(Math.max(...drawn)).toBeLessThanOrEqual(high);
      expect(Math.min(...drawn)).toBeLessThan(low + 0.02 * width);
      expect(Math.max(...drawn)).toBeGreaterThan(high - 0.02 * width);
      const mean = drawn.reduce((a, b) => a + b, 0) / drawn.length;
      expect(Math.abs(mean - (low + high) / 2)).toBeLessThan((4 * width) / Math.sqrt(12 * drawn.length));
    }
  });

  it('never draws a negative factor', () => {
    const random = new Random('strong');
    for (let i = 0; i < 200; i++)
      for (const [name, amount] of drawJitter(random, { ...strength, brightness: 3, contrast: 3, saturation: 3 }))
        if (name !== 'hue') expect(amount).toBeGreaterThanOrEqual(0);
  });

  it('applies its steps one after the other', () => {
    const pixels = Uint8Array.of(200, 30, 90, 10, 250, 180);
    const expected = pixels.slice();
    adjustHue(expected, 0.07);
    adjustBrightness(expected, 1.35);
    applyJitter(pixels, [
      ['hue', 0.07],
      ['brightness', 1.35],
    ]);
    expect(pixels).toEqual(expected);
  });
});

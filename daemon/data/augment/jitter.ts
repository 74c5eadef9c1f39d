import type { Random } from '../random.ts';
import { adjustBrightness } from './brightness2D.ts';
import { adjustContrast } from './contrast2D.ts';
import { adjustHue } from './hue2D.ts';
import type { View2DOptions } from './options.ts';
import { adjustSaturation } from './saturation2D.ts';

const adjustments = {
  brightness: adjustBrightness,
  contrast: adjustContrast,
  saturation: adjustSaturation,
  hue: adjustHue,
} as const;

/** One adjustment and its factor (hue: shift in full circles). */
export type JitterStep = readonly [name: keyof typeof adjustments, amount: number];

/** Draws all four adjustments in a random order, as torchvision's ColorJitter does. */
export function drawJitter(random: Random, strength: View2DOptions['jitter']): JitterStep[] {
  const factor = (by: number) => random.uniform(Math.max(0, 1 - by), 1 + by);
  return random.shuffle<JitterStep>([
    ['brightness', factor(strength.brightness)],
    ['contrast', factor(strength.contrast)],
    ['saturation', factor(strength.saturation)],
    ['hue', random.uniform(-strength.hue, strength.hue)],
  ]);
}

/** Applies the steps in their order, in place, rounding to 8 bits after each. `pixels`: RGB [.., 3]. */
export function applyJitter(pixels: Uint8Array, steps: readonly JitterStep[]): void {
  for (const [name, amount] of steps) adjustments[name](pixels, amount);
}

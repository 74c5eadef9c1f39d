import { eachPart } from './parts.ts';

/** Multiplies each slice (or the whole volume, given one factor) by its factor, in place. */
export function multiplyBrightness(values: Float32Array, factors: readonly number[]): void {
  eachPart(values, factors, (part, factor) => {
    for (let i = 0; i < part.length; i++) part[i] = part[i]! * factor;
  });
}

/** Adds its offset to each slice (or to the whole volume, given one offset), in place. */
export function addBrightness(values: Float32Array, offsets: readonly number[]): void {
  eachPart(values, offsets, (part, offset) => {
    for (let i = 0; i < part.length; i++) part[i] = part[i]! + offset;
  });
}

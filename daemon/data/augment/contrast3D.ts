import { eachPart, statisticsOf } from './parts.ts';

/**
 * Stretches the values of each slice (or of the whole volume, given one factor) about their mean by its factor and clips them to
 * their original range, in place: batchgenerators' contrast augmentation with `preserve_range`.
 */
export function stretchContrast(values: Float32Array, factors: readonly number[]): void {
  eachPart(values, factors, (part, factor) => {
    const { mean, min, max } = statisticsOf(part);
    for (let i = 0; i < part.length; i++) {
      const value = (part[i]! - mean) * factor + mean;
      part[i] = Math.min(Math.max(value, min), max);
    }
  });
}

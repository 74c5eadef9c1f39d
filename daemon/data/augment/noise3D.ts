import type { Random } from '../random.ts';

/**
 * Adds independent normal noise of one standard deviation to all values, in place. (batchgenerators' GaussianNoise calls this
 * number a variance, but uses it as the deviation.)
 */
export function addNoise(values: Float32Array, deviation: number, random: Random): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! + deviation * random.normal();
}

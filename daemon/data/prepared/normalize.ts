import type { Channel } from '../../../protocol/config/finetune/index.ts';
import { statisticsOf } from '../augment/parts.ts';

/** Normalises the values of one channel of an image, in place. An image of one value becomes 0 where its own statistics count. */
export function normalize(values: Float32Array, { normalization }: Channel): void {
  const [offset, scale] = linearOf(values, normalization);
  const [low, high] =
    normalization.scheme === 'clip' ? normalization.range : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < values.length; i++) values[i] = (Math.min(Math.max(values[i]!, low), high) - offset) * scale;
}

/** What is subtracted, and what is multiplied by then. */
function linearOf(values: Float32Array, normalization: Channel['normalization']): [offset: number, scale: number] {
  switch (normalization.scheme) {
    case 'clip':
      return [normalization.mean, 1 / normalization.deviation];
    case 'divide':
      return [0, 1 / normalization.by];
    case 'zScore': {
      const { mean, deviation } = statisticsOf(values);
      return [mean, deviation > 0 ? 1 / deviation : 0];
    }
    case 'range': {
      const { min, max } = statisticsOf(values);
      return [min, max > min ? 1 / (max - min) : 0];
    }
  }
}

import { reshape, slice, type Tensor } from '../engine/ops/index.ts';
import type { StochasticDepth } from '../model/backbone.ts';
import type { StagesConfig } from '../model/config.ts';

/** A branch that stochastic depth may skip, and its rate. */
export interface Branch {
  readonly key: string;
  readonly rate: number;
}

/**
 * The rows of the masks: two branches per block. The rate rises linearly from 0 to `rate` in encoder and decoder.
 * @param config a network with a decoder, or an encoder alone
 */
export function branches(
  config: { readonly encoder: StagesConfig; readonly decoder?: StagesConfig },
  rate: number,
): Branch[] {
  const side = (depths: readonly number[], nameOf: (stage: number) => string) => {
    const names = depths.flatMap((depth, stage) => Array.from({ length: depth }, (_, i) => `${nameOf(stage)}.${i}`));
    return names.flatMap((name, i) => {
      const own = names.length > 1 ? (rate * i) / (names.length - 1) : rate;
      return [
        { key: `${name} attention`, rate: own },
        { key: `${name} mlp`, rate: own },
      ];
    });
  };
  return [
    ...side(config.encoder.depths, (stage) => `block${stage + 1}`),
    ...side(config.decoder?.depths ?? [], (stage) => `Decblock${stage}`),
  ];
}

/** Factors [branches, samples]: 0 where a sample skips a branch, else 1 / (1 − rate), which preserves the mean. */
export function drawMasks(all: readonly Branch[], samples: number, uniform: () => number): Float32Array {
  const masks = new Float32Array(all.length * samples);
  all.forEach(({ rate }, row) => {
    for (let i = 0; i < samples; i++) masks[row * samples + i] = uniform() < rate ? 0 : 1 / (1 - rate);
  });
  return masks;
}

/** Columns `begin` … `begin + samples − 1` of the masks, in the form of the model. */
export function stochasticDepth(
  all: readonly Branch[],
  masks: Tensor,
  begin: number,
  samples: number,
): StochasticDepth {
  const rows = new Map(all.map(({ key }, row) => [key, row]));
  return (block, branch) => reshape(slice(masks, [rows.get(`${block} ${branch}`)!, begin], [1, samples]), [samples]);
}

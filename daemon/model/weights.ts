import type { NormParameters, Tensor } from '../engine/ops/index.ts';
import type { LinearParameters } from './ops/linear.ts';

/** A network's parameters by name (parameters.ts), in our layout. @throws if the name is unknown */
export type Weights = (name: string) => Tensor;

/** The parameters whose names begin with `prefix` and a dot, by the rest of their names. */
export function scope(weights: Weights, prefix: string): Weights {
  return (name) => weights(`${prefix}.${name}`);
}

export function linearOf(weights: Weights, name: string): Required<LinearParameters> {
  return { weight: weights(`${name}.weight`), bias: weights(`${name}.bias`) };
}

export function linearWithoutBiasOf(weights: Weights, name: string): LinearParameters {
  return { weight: weights(`${name}.weight`) };
}

export function normOf(weights: Weights, name: string): NormParameters {
  return { weight: weights(`${name}.weight`), bias: weights(`${name}.bias`) };
}

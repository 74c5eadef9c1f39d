import type { Family } from './call.ts';
import { convolutions } from './convolution.ts';
import { products } from './dot.ts';
import { elementwise } from './elementwise.ts';
import { indexed } from './indices.ts';
import { movement } from './movement.ts';
import { reductions } from './reduce.ts';
import { resizing } from './resize.ts';
import { stateUpdates } from './state.ts';

export { Builder, type Value } from './builder.ts';
export { Call, type Lowering } from './call.ts';
export { type State, stateUpdates } from './state.ts';

/** The ops of TensorFlow that have a form in StableHLO, by family; docs/engine.md lists them. */
export const families: Readonly<Record<string, Family>> = {
  'element by element': elementwise,
  reductions,
  products,
  convolutions,
  arrangement: movement,
  'places named by a tensor': indexed,
  resizing,
};

export const lowerings: Family = Object.assign({}, ...Object.values(families));

/** The names of all ops that are lowered, by family. */
export function loweredOps(): Record<string, string[]> {
  const named = { ...families, variables: stateUpdates };
  return Object.fromEntries(Object.entries(named).map(([family, ops]) => [family, Object.keys(ops).sort()]));
}

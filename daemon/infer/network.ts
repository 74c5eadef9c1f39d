import type { Engine } from '../engine/index.ts';
import type { MitConfig } from '../model/config.ts';
import { parameterTable } from '../model/parameters.ts';
import type { FirstValues } from '../train/parameters/firstValues.ts';
import { ParameterSet } from '../train/parameters/parameterSet.ts';

/** A network for inference: weights without optimiser state. */
export interface Network {
  readonly config: MitConfig;
  readonly parameters: ParameterSet;
}

/**
 * The backbone of a network.
 * @param role the first part of its parameters' names in a checkpoint, such as `teacher`
 * @param first initial values; default: zeros, for `parameters.load`
 */
export function createBackbone(engine: Engine, config: MitConfig, role: string, first?: FirstValues): Network {
  const specs = parameterTable(config).filter(({ group }) => group === 'backbone');
  return { config, parameters: ParameterSet.create(engine, role, specs, first) };
}

import { z } from 'zod';
import { UnimissError } from '../../../protocol/errors.ts';
import type { JsonObject } from '../../../protocol/json.ts';
import type { Engine } from '../../engine/index.ts';
import { type DownstreamConfig, type DownstreamSpec, downstreamTable } from '../../model/downstream.ts';
import { AdamW } from '../optimizers/adamW.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { Sgd } from '../optimizers/sgd.ts';
import { type FirstValues, seededValues } from '../parameters/firstValues.ts';
import type { NamedTensor, ReadTensor } from '../parameters/namedTensor.ts';
import { ParameterSet } from '../parameters/parameterSet.ts';
import type { SavedState } from '../training.ts';
import { groupOfLayer, movable, rateFactors } from './groups.ts';
import type { FineTuneStateOptions, OptimizerChoice } from './types.ts';

/** What the schedules say for an update. */
export interface FineTuneRates {
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** All that a fine-tuning changes: the network's parameters, what its optimiser keeps, and counts. Held in TensorFlow variables. */
export interface FineTuneState extends SavedState {
  readonly model: DownstreamConfig;
  readonly table: readonly DownstreamSpec[];
  /** Role 'network': a checkpoint names them `network.<the reference's name>`. */
  readonly parameters: ParameterSet;
  /** The parameters that steps may move. */
  readonly movable: readonly DownstreamSpec[];
  readonly optimizer: Optimizer<string, FineTuneRates>;
  dispose(): void;
}

const countersSchema = z.object({ counts: z.record(z.string(), z.int().min(0)) });

/**
 * A state at the beginning of training.
 * @param from a seed, from which everything follows, or first values in the reference's layout (a spec's `pretrained` is the name
 * to look for in pre-trained weights); null: zeros, for a checkpoint that is loaded next
 */
export function createFineTuneState(
  engine: Engine,
  { model, optimizer: choice, layerDecay = 1, frozen = 'none' }: FineTuneStateOptions,
  from: number | FirstValues | null,
): FineTuneState {
  const table = downstreamTable(model);
  const first = typeof from === 'number' ? seededValues(from) : (from ?? undefined);
  const parameters = ParameterSet.create(engine, 'network', table, first);
  const moved = movable(table, frozen);
  const optimizer = createOptimizer(engine, choice, parameters, moved, rateFactors(table, layerDecay));
  const sets = [parameters, ...optimizer.slots];
  return {
    model,
    table,
    parameters,
    movable: moved,
    optimizer,
    tensors: (): NamedTensor[] => sets.flatMap((set) => set.tensors()),
    counters: (): JsonObject => ({ counts: { ...optimizer.counts } }),
    async load(read: ReadTensor, counters: JsonObject) {
      const checked = countersSchema.safeParse(counters);
      const groups = Object.keys(optimizer.counts);
      if (!checked.success || groups.some((group) => !(group in checked.data.counts)))
        throw new UnimissError(
          'checkpoint',
          `its counters cannot be read: ${checked.success ? `counts of ${groups.join(', ')} are needed` : z.prettifyError(checked.error)}`,
          { place: 'counters', remedy: 'Use another checkpoint of this run.' },
        );
      for (const set of sets) await set.load(read);
      for (const group of groups) optimizer.counts[group] = checked.data.counts[group] ?? 0;
    },
    dispose() {
      parameters.dispose();
      optimizer.dispose();
    },
  };
}

function createOptimizer(
  engine: Engine,
  choice: OptimizerChoice,
  weights: ParameterSet,
  specs: readonly DownstreamSpec[],
  factors: Record<string, number>,
): Optimizer<string, FineTuneRates> {
  const layers = [...new Set(specs.map(({ layer }) => layer))].sort((a, b) => a - b);
  const groups = layers.map(groupOfLayer);
  const groupByName = new Map(specs.map(({ name, layer }) => [name, groupOfLayer(layer)]));
  const groupOf = ({ name }: { name: string }) => {
    const group = groupByName.get(name);
    if (group === undefined) throw new UnimissError('internal', 'is frozen and cannot be moved', { place: name });
    return group;
  };
  const grouping = { groups, groupOf, rateFactors: factors };
  if (choice.kind === 'sgd') {
    const sgd = new Sgd(engine, weights, grouping, specs);
    return withRates(sgd, { momentum: choice.momentum ?? 0.99 });
  }
  const adam = new AdamW(engine, weights, grouping, specs);
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = choice;
  return withRates(adam, { beta1, beta2, epsilon });
}

/** An optimiser some of whose rates never change. */
function withRates<Fixed extends object>(
  optimizer: Optimizer<string, FineTuneRates & Fixed>,
  fixed: Fixed,
): Optimizer<string, FineTuneRates> {
  const { inputs, counts, slots } = optimizer;
  return {
    inputs,
    counts,
    slots,
    scalars: (rates, moving) => optimizer.scalars({ ...rates, ...fixed }, moving),
    apply: (spec, gradient, values) => optimizer.apply(spec, gradient, values),
    dispose: () => optimizer.dispose(),
  };
}

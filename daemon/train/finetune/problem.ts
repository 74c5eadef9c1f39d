import type { FinetuneConfig } from '../../../protocol/config/index.ts';
import { type BackboneConfig, presetWith } from '../../model/config.ts';
import type { DownstreamConfig } from '../../model/downstream.ts';
import type { FineTuneStateOptions, FineTuneStepOptions, Problem } from './types.ts';

/** What a data set's labels say that the configuration leaves to them. */
export interface LabelFacts {
  /** Outputs of the network: classes, with the background where labels of voxels are exclusive. */
  readonly outputs: number;
  /** Whether there are voxels that count for nothing. */
  readonly ignore: boolean;
  /** Weights of the outputs in the cross-entropy; undefined: all 1. */
  readonly classWeights: readonly number[] | undefined;
}

/** The network that a configuration asks for. */
export function downstreamOf(
  {
    problem,
    modality,
    plan,
    model,
  }: Pick<FinetuneConfig, 'problem' | 'modality' | 'plan'> & { model: Parameters<typeof presetWith>[0] },
  outputs: number,
): DownstreamConfig {
  const { head: _, ...backbone } = presetWith(model);
  const [first, second, third] = plan.patch;
  const sized: BackboneConfig =
    third === undefined ? { ...backbone, size2D: [first, second] } : { ...backbone, size3D: [first, second, third] };
  return { task: problem, modality, backbone: sized, channels: plan.channels.length, outputs };
}

/** The loss that a configuration asks for. */
export function problemOf({ problem, labels, train }: FinetuneConfig, { ignore, classWeights }: LabelFacts): Problem {
  const weights = classWeights && { classWeights };
  if (problem === 'classification') return { task: problem, labels, labelSmoothing: train.labelSmoothing, ...weights };
  return { task: problem, labels, ignore, batchDice: true, deepSupervision: train.deepSupervision, ...weights };
}

const frozen = { none: 'none', encoder: 'encoder', all: 'backbone' } as const;

export function stateOptions({ train }: FinetuneConfig, model: DownstreamConfig): FineTuneStateOptions {
  return {
    model,
    optimizer: { kind: train.optimizer },
    layerDecay: train.layerDecay,
    frozen: frozen[train.freeze],
  };
}

export function stepOptions({ train, model }: FinetuneConfig, problem: Problem): FineTuneStepOptions {
  return {
    problem,
    batch: train.batch,
    dropPath: model.dropPath,
    ...(train.clipGradient !== null && { clipGradient: train.clipGradient }),
  };
}

import { join } from 'node:path';
import { cacheFolder } from '../../cacheFolder.ts';
import { usesGpu } from '../devices.ts';
import type { ResolveOptions } from '../kind.ts';
import { absoluteFrom } from '../paths.ts';
import { presets as networks, type Stages } from '../pretrain/presets.ts';
import { type ProblemPreset, presetOf } from './presets.ts';
import type { Channel, FinetuneGiven } from './schema.ts';
import type { EpochMetric } from './trainSchema.ts';

type Train = FinetuneGiven['train'];

/**
 * A configuration with every choice made: the problem's defaults filled in, paths absolute. It is a valid configuration, and
 * resolving it again does not change it. The run folder keeps it as `config.resolved.json`.
 */
export interface FinetuneConfig extends FinetuneGiven {
  data: FinetuneGiven['data'] & { cache: string };
  plan: Omit<FinetuneGiven['plan'], 'patch' | 'fit' | 'channels'> & {
    patch: [number, number] | [number, number, number];
    fit: ProblemPreset['fit'];
    channels: Channel[];
  };
  model: FinetuneGiven['model'] & { stages: Stages };
  train: Train & {
    epochs: number;
    stepsPerEpoch: number | null;
    batch: number;
    lr: number;
    weightDecay: number;
    earlyStopping: { metric: EpochMetric; patience: number } | null;
    best: EpochMetric;
  };
}

/** Makes every choice explicit. Touches no file: readers of the paths check whether they exist. */
export function resolveFinetune(config: FinetuneGiven, options: ResolveOptions): FinetuneConfig {
  const absolute = absoluteFrom(options);
  const { $schema: _, ...given } = config;
  const { data, plan, model, train, engine, start } = given;
  const preset = presetOf(given);
  const sgd = train.optimizer === 'sgd';
  const stopping = train.earlyStopping === undefined ? preset.earlyStopping : train.earlyStopping;
  return {
    ...given,
    data: {
      ...data,
      path: absolute(data.path),
      split: data.split === null ? null : absolute(data.split),
      cache: absolute(data.cache ?? join(options.cache ?? cacheFolder(), 'preprocessed')),
    },
    plan: {
      ...plan,
      patch: plan.patch ?? [...preset.patch],
      fit: plan.fit ?? preset.fit,
      channels: plan.channels ?? preset.channels.map((channel) => ({ ...channel })),
    },
    model: { ...model, stages: model.stages ?? networks[model.preset].stages },
    start: { ...start, from: start.from === null ? null : absolute(start.from) },
    train: {
      ...train,
      epochs: train.epochs ?? (train.hours === null ? 100 : 10_000),
      stepsPerEpoch: train.stepsPerEpoch === undefined ? preset.stepsPerEpoch : train.stepsPerEpoch,
      batch: train.batch ?? preset.batch,
      lr: train.lr ?? (sgd ? 0.01 : preset.lr),
      weightDecay: train.weightDecay ?? (sgd ? 3e-5 : preset.weightDecay),
      earlyStopping: stopping && { patience: stopping.patience, metric: stopping.metric ?? preset.best },
      best: train.best ?? preset.best,
    },
    engine: { ...engine, gpu: usesGpu(engine.device) ? (engine.gpu ?? 0) : null },
  };
}

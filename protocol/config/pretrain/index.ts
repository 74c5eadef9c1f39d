import { UnimissError } from '../../errors.ts';
import type { ConfigKind } from '../kind.ts';
import type { SharedConfig } from '../shared.ts';
import { impossibleCombinations } from './combinations.ts';
import { derivedValues } from './derived.ts';
import { type PretrainConfig, resolvePretrain } from './resolve.ts';
import { type PretrainGiven, pretrainSchema } from './schema.ts';
import { pretrainTemplate } from './template.ts';

export type { PretrainConfig } from './resolve.ts';
export type { PretrainGiven, PretrainInput } from './schema.ts';

const smallest = 'A minimal configuration is { "data": { "paths": "…" } }.';

/** Pre-training on images without labels. */
export const pretrainKind: ConfigKind<PretrainGiven, PretrainConfig> = {
  task: 'pretrain',
  title: 'UniMiSS pre-training',
  schema: pretrainSchema,
  smallest,
  remedies: {
    data: smallest,
    'data.paths': 'Write a path, or a list of paths: ["ct", "xray"].',
    'data.cache': 'Write the path of a folder, or false.',
  },
  template: pretrainTemplate,
  choiceFields: { folders: 'data.paths', preset: 'model.preset', name: 'name', device: 'engine.device' },
  // Enough to see the curves move; the paper's 200 would take hours of a first try.
  presetValues: { nano: { 'train.epochs': 20 } },
  problems: impossibleCombinations,
  resolve: resolvePretrain,
  summary: ({ model, train }) => ({ preset: model.preset, epochs: train.epochs, slices: model.size3D[0] }),
  derived: derivedValues,
};

/** The configuration of a pre-training run. @throws UnimissError 'config' if the run is of another kind */
export function requirePretrain(config: SharedConfig): PretrainConfig {
  if (config.task === 'pretrain') return config as PretrainConfig;
  throw new UnimissError('config', `"${config.name}" is a run of kind "${config.task}"`, {
    place: 'task',
    remedy: 'Name a pre-training run.',
  });
}

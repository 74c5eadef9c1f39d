import { join } from 'node:path';
import { cacheFolder } from '../../cacheFolder.ts';
import { usesGpu } from '../devices.ts';
import type { ResolveOptions } from '../kind.ts';
import { absoluteFrom } from '../paths.ts';
import { presets, type Stages } from './presets.ts';
import type { PretrainGiven } from './schema.ts';

type Model = PretrainGiven['model'];

/**
 * A configuration with every choice made: presets expanded, paths absolute, the GPU chosen. It is a valid configuration, and
 * resolving it again does not change it. The run folder keeps it as `config.resolved.json`.
 */
export interface PretrainConfig extends PretrainGiven {
  data: Omit<PretrainGiven['data'], 'paths' | 'cache'> & { paths?: string[]; cache: string | false };
  probe: (Omit<NonNullable<PretrainGiven['probe']>, 'data'> & { data: string[] }) | null;
  model: Model & {
    stages: Stages;
    size2D: [number, number];
    size3D: [number, number, number];
    head: Required<Model['head']>;
  };
}

/** Makes every choice explicit. Touches no file: readers of the paths check whether they exist. */
export function resolvePretrain(config: PretrainGiven, options: ResolveOptions): PretrainConfig {
  const absolute = absoluteFrom(options);
  const { $schema: _, ...given } = config;
  const { data, model, train, engine, probe } = given;
  const preset = presets[model.preset];
  const { paths, manifest, ...otherData } = data;
  return {
    ...given,
    data: {
      ...otherData,
      ...(paths === undefined ? {} : { paths: [paths].flat().map(absolute) }),
      ...(manifest === undefined ? {} : { manifest: absolute(manifest) }),
      cache: data.cache === false ? false : absolute(data.cache ?? join(options.cache ?? cacheFolder(), 'volumes')),
    },
    model: {
      ...model,
      stages: model.stages ?? preset.stages,
      size2D: model.size2D ?? [...preset.size2D],
      size3D: model.size3D ?? [...preset.size3D],
      head: { ...preset.head, ...model.head },
    },
    probe: probe && { ...probe, data: [probe.data].flat().map(absolute) },
    train: { ...train, initialWeights: train.initialWeights === null ? null : absolute(train.initialWeights) },
    engine: { ...engine, gpu: usesGpu(engine.device) ? (engine.gpu ?? 0) : null },
  };
}

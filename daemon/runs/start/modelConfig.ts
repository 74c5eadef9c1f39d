import type { PretrainConfig } from '../../../protocol/config/index.ts';
import { type MitConfig, presetWith } from '../../model/config.ts';

/** The network that a configuration asks for. */
export function modelConfig({ preset, stages, size2D, size3D, head }: PretrainConfig['model']): MitConfig {
  return {
    ...presetWith({ preset, stages }),
    size2D,
    size3D,
    head: { hidden: head.hidden, bottleneck: head.bottleneck, out: head.outDim },
  };
}

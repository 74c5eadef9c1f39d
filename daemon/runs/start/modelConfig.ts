import type { PretrainConfig } from '../../../protocol/config/index.ts';
import { type MitConfig, presets } from '../../model/config.ts';

/** The network that a configuration asks for. */
export function modelConfig({ preset, size2D, size3D, head }: PretrainConfig['model']): MitConfig {
  return {
    ...presets[preset],
    size2D,
    size3D,
    head: { hidden: head.hidden, bottleneck: head.bottleneck, out: head.outDim },
  };
}

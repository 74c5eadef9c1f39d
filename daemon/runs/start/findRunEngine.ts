import type { ResolvedConfig } from '../../../protocol/config/resolveConfig.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { chooseDevice, type Device, type EngineFiles, requireEngine } from '../../engine/install/index.ts';

/** Where a run is to compute, and the libraries for it. */
export interface RunEngineFiles {
  device: Device;
  files: EngineFiles;
  /** Number and name of the GPU; undefined on the CPU. */
  gpu?: { index: number; name: string };
  /** Why the CPU serves in place of a GPU. */
  notice?: string;
}

/**
 * Finds the TensorFlow that a run asks for, without loading it.
 * @throws UnimissError 'engine' with the command that helps
 */
export async function findRunEngine(config: ResolvedConfig['engine']): Promise<RunEngineFiles> {
  const { device, notice, gpus } = await chooseDevice(config.device, { allowCpu: config.allowCpu });
  const files = await requireEngine({ device });
  if (device === 'cpu') return { device, files, ...(notice && { notice }) };
  const index = config.gpu ?? 0;
  const gpu = gpus?.gpus.find((each) => each.index === index);
  if (gpu) return { device, files, gpu };
  throw new UnimissError('engine', `there is no GPU ${index}`, {
    place: 'engine.gpu',
    remedy: `Take one of those that \`nvidia-smi\` lists: ${gpus?.gpus.map((each) => `${each.index} (${each.name})`).join(', ')}.`,
  });
}

import { type EngineDevice, findsGpus, isPluginDevice } from '../../../protocol/config/devices.ts';
import { requireEngine } from './find.ts';
import { chooseDevice, cuda13 } from './gpu.ts';
import type { Env } from './places.ts';
import { requirePlugin } from './plugin.ts';
import type { VisibleGpu } from './visibleGpus.ts';

/** An engine that can be opened: what `openEngine` needs, and the GPUs to choose from. */
export interface LocatedEngine {
  readonly device: EngineDevice;
  readonly library: string;
  readonly preload?: readonly string[];
  /** For XLA: folder with `bin/ptxas` and `nvvm/libdevice`. */
  readonly cudaData?: string;
  /** With NVIDIA's GPUs: those that this process may use, at least one. */
  readonly visible?: readonly VisibleGpu[];
  /** Why it is the processor instead of a GPU. */
  readonly notice?: string;
}

/**
 * Finds the engine for a device of a configuration, without loading it.
 * @throws UnimissError 'engine' with the command that helps
 */
export async function locateEngine(
  wanted: EngineDevice,
  { allowCpu, env = process.env }: { allowCpu?: boolean; env?: Env } = {},
): Promise<LocatedEngine> {
  if (isPluginDevice(wanted) && !findsGpus(wanted))
    return { device: wanted, library: (await requirePlugin(wanted, env)).file };
  const { device, notice, visible } = await chooseDevice(findsGpus(wanted) ? 'cuda' : 'cpu', {
    ...{ allowCpu, env },
    ...(wanted === 'pjrt:cuda' && { cuda: cuda13 }),
  });
  if (wanted === 'pjrt:cuda' && device === 'cuda')
    return { device: wanted, library: (await requirePlugin(wanted, env)).file, visible };
  const { folder, cuda } = await requireEngine({ device, env });
  return {
    device,
    library: folder,
    ...(cuda && device === 'cuda' && { preload: cuda.preload }),
    ...(cuda?.dataDir && { cudaData: cuda.dataDir }),
    ...(visible && { visible }),
    ...(notice && { notice }),
  };
}

import { type EngineDevice, processorOf, usesGpu } from '../../../protocol/config/devices.ts';
import type { SharedConfig } from '../../../protocol/config/index.ts';
import type { RunFolder } from '../folder/runFolder.ts';

/** `cpu`, or `cuda:1`: runs and jobs that share a device wait for each other. */
export function devicesOf({ config }: { readonly config: Pick<SharedConfig, 'engine'> }): readonly string[] {
  const { device, gpu } = config.engine;
  return [usesGpu(device) ? `${processorOf(device)}:${gpu ?? 0}` : 'cpu'];
}

/** As `devicesOf`, for lists: none for a run whose configuration this version cannot read. */
export function shownDevices(run: RunFolder): readonly string[] {
  return run.readable ? devicesOf(run) : [];
}

/** What a run's configuration computes on, for lists. */
export function shownEngineDevice(run: RunFolder): EngineDevice | undefined {
  return run.readable ? run.config.engine.device : undefined;
}

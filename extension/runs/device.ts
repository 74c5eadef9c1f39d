import { parse } from 'jsonc-parser';
import { type EngineDevice, engineDevices } from '../../protocol/config/devices.ts';
import { isObject } from '../../protocol/json.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';

/** What a run computes on; the processor where that is not known. */
export function deviceOf({ engineDevice = 'cpu' }: Pick<RunInfo, 'engineDevice'>): EngineDevice {
  return engineDevice;
}

/** The device that the text of a configuration names, even if other things in it are wrong. */
export function deviceIn(text: string): EngineDevice {
  const config: unknown = parse(text);
  const engine = isObject(config) ? config.engine : undefined;
  const named = isObject(engine) ? engine.device : undefined;
  return engineDevices.find((device) => device === named) ?? 'cpu';
}

import { parse } from 'jsonc-parser';
import { isObject } from '../../protocol/json.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';

/** The kind of processor that a run computes on; also names the builds of TensorFlow. */
export type EngineDevice = 'cpu' | 'cuda';

/** The device of a run. */
export function deviceOf({ devices }: Pick<RunInfo, 'devices'>): EngineDevice {
  return devices.some((device) => device.startsWith('cuda')) ? 'cuda' : 'cpu';
}

/** The device that the text of a configuration names, even if other things in it are wrong. */
export function deviceIn(text: string): EngineDevice {
  const config: unknown = parse(text);
  const engine = isObject(config) ? config.engine : undefined;
  return isObject(engine) && engine.device === 'cuda' ? 'cuda' : 'cpu';
}

import type { EngineDevice } from '../../../protocol/config/devices.ts';
import { messageOf } from '../../../protocol/errors.ts';
import { humanBytes } from '../../../protocol/words.ts';
import { PjrtClient } from './client.ts';
import { optionsFor } from './deviceOptions.ts';

/**
 * What a plugin says of itself, on one line: version of the API, platform, devices, memory. Loads it; an error is its text.
 * @param device whose options its client gets; undefined: none
 */
export function describePlugin(file: string, device?: EngineDevice): string {
  try {
    const { api, platform, devices, memory } = opened(file, device);
    const used =
      memory && `memory in use ${humanBytes(memory.inUse)}${memory.limit ? ` of ${humanBytes(memory.limit)}` : ''}`;
    return [`PJRT ${api}`, platform, devices, ...(used ? [used] : [])].join('; ');
  } catch (error) {
    return `cannot be used: ${messageOf(error)}`;
  }
}

function opened(file: string, device: EngineDevice | undefined) {
  const client = PjrtClient.open(file, device ? optionsFor(device).client : {});
  return {
    api: client.api.version,
    platform: client.platform.title,
    devices: client.devices.map((device) => device.name).join(', '),
    memory: client.memory(),
  };
}

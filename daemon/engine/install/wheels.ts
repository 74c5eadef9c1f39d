import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Device, releaseFor, type WheelPin } from '../../../protocol/engine/release.ts';
import { type Env, engineFolder } from './places.ts';

/**
 * The wheels that an installation of a build would fetch, as `installEngine` decides it: those that do not lie complete in its folder.
 * Another program may bring them there.
 * @throws UnimissError `engine` if there is no such build for the processor
 */
export async function missingWheels(
  device: Device,
  { env = process.env, arch = process.arch }: { env?: Env; arch?: string } = {},
): Promise<{ version: string; wheels: WheelPin[]; platforms: string[] }> {
  const { version, wheels, platforms } = releaseFor(device, arch);
  const partial = `${engineFolder(device, env, version)}.partial`;
  const missing: WheelPin[] = [];
  for (const wheel of wheels) {
    const there = await stat(join(partial, `${wheel.name}.whl`)).then(
      ({ size }) => size === wheel.bytes,
      () => false,
    );
    if (!there) missing.push(wheel);
  }
  return { version, wheels: missing, platforms };
}

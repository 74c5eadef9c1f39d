import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { cacheFolder } from '../../../protocol/cacheFolder.ts';
import { type Build, ENGINE_VERSION } from '../../../protocol/engine/release.ts';

export type Env = NodeJS.ProcessEnv;

export const enginesFolder = (env: Env = process.env): string => join(cacheFolder(env), 'engine');

/** The folder of one installed build of TensorFlow, or of a plugin of PJRT. */
export const engineFolder = (device: Build, env: Env = process.env, version = ENGINE_VERSION): string =>
  join(enginesFolder(env), `${version}-${device.replace(':', '-')}`);

/** What computes in a folder, in words, and the command that installs it anew. */
export function engineIn(folder: string): { what: string; command: string } {
  const device = basename(folder)
    .replace(/^[^-]*-/, '')
    .replace('-', ':');
  const what = device.startsWith('pjrt:') ? `plugin of PJRT for ${device}` : 'TensorFlow';
  return { what, command: `unimiss engine install${device === 'cpu' ? '' : ` --device ${device}`}` };
}

export const home = (env: Env): string => env.HOME || homedir();

import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../../protocol/cacheFolder.ts';
import { type Build, ENGINE_VERSION } from '../../../protocol/engine/release.ts';

export type Env = NodeJS.ProcessEnv;

export const enginesFolder = (env: Env = process.env): string => join(cacheFolder(env), 'engine');

/** The folder of one installed build of TensorFlow, or of a plugin of PJRT. */
export const engineFolder = (device: Build, env: Env = process.env, version = ENGINE_VERSION): string =>
  join(enginesFolder(env), `${version}-${device.replace(':', '-')}`);

export const home = (env: Env): string => env.HOME || homedir();

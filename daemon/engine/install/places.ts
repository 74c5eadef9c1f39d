import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { UnimissError } from '../../../protocol/errors.ts';
import { type Device, ENGINE_VERSION } from './release.ts';

export type Env = NodeJS.ProcessEnv;

/**
 * Our folder in the user's cache: `UNIMISS_CACHE`, or `unimiss` in `XDG_CACHE_HOME` (default `~/.cache`).
 * @throws UnimissError `config` if `UNIMISS_CACHE` is not an absolute path.
 */
export function cacheFolder(env: Env = process.env): string {
  const named = env.UNIMISS_CACHE;
  if (named) {
    if (!isAbsolute(named)) {
      throw new UnimissError('config', `"${named}" is not an absolute path`, {
        place: 'UNIMISS_CACHE',
        remedy: 'Give the whole path, so that every command finds the same cache wherever it is started.',
      });
    }
    return named;
  }
  // The XDG specification: a relative path there is to be ignored.
  const xdg = env.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(home(env), '.cache'), 'unimiss');
}

export const enginesFolder = (env: Env = process.env): string => join(cacheFolder(env), 'engine');

/** Where one build of TensorFlow lies once it is installed. */
export const engineFolder = (device: Device, env: Env = process.env, version = ENGINE_VERSION): string =>
  join(enginesFolder(env), `${version}-${device}`);

export const home = (env: Env): string => env.HOME || homedir();

/** Bytes as people read them, in powers of 1024. */
export function humanBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  let value = bytes;
  while (value >= 1024 && i < units.length - 1) {
    value /= 1024;
    i++;
  }
  return `${i === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[i]}`;
}

import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { UnimissError } from './errors.ts';

/**
 * Our folder in the user's cache: `UNIMISS_CACHE`, or `unimiss` in `XDG_CACHE_HOME` (default `~/.cache`). It holds TensorFlow,
 * resampled volumes, measured executors and the demo's images.
 * @throws UnimissError `config` if `UNIMISS_CACHE` is not an absolute path.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const named = env.UNIMISS_CACHE;
  if (named) {
    if (!isAbsolute(named)) {
      throw new UnimissError('config', `"${named}" is not an absolute path`, {
        place: 'UNIMISS_CACHE',
        remedy: 'Use an absolute path, so that every command finds the same cache from any folder.',
      });
    }
    return named;
  }
  // The XDG specification says to ignore a relative path there.
  const xdg = env.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), '.cache'), 'unimiss');
}

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ResolveOptions } from './kind.ts';

/** Makes the paths of a configuration absolute: `~` is the user's home, relative ones start at the folder of the file. */
export function absoluteFrom({
  baseDir,
  home = homedir(),
}: Pick<ResolveOptions, 'baseDir' | 'home'>): (path: string) => string {
  return (path) => {
    if (path === '~') return home;
    return path.startsWith('~/') ? join(home, path.slice(2)) : resolve(baseDir, path);
  };
}

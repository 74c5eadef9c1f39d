import { isAbsolute, relative, sep } from 'node:path';

/** Returns whether `path` is the folder or below it. Looks only at the names; a name may begin with `..` and be inside. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

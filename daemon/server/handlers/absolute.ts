import { isAbsolute } from 'node:path';
import { UnimissError } from '../../../protocol/errors.ts';

/** Returns the path. @throws UnimissError 'run' if it is relative */
export function absolute(path: string): string {
  if (isAbsolute(path)) return path;
  throw new UnimissError('run', 'is not an absolute path', {
    place: path,
    remedy: 'Use an absolute path: the daemon has no working folder for relative ones.',
  });
}

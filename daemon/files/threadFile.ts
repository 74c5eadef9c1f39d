import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UnimissError } from '../../protocol/errors.ts';

/**
 * The bundle of a worker thread: beside the bundled daemon, or in dist/ of the sources.
 * @param name without its ending, as scripts/build.mjs names it
 * @returns undefined where it is not built
 */
export function findThreadFile(name: string): string | undefined {
  return placesOf(name).find((place) => existsSync(place));
}

/** As `findThreadFile`. @throws UnimissError 'internal' where it is not built */
export function threadFile(name: string): string {
  const found = findThreadFile(name);
  if (found) return found;
  throw new UnimissError('internal', `the thread "${name}" is not built`, {
    place: placesOf(name).at(-1),
    remedy: 'Run `npm run build`.',
  });
}

function placesOf(name: string): string[] {
  return [`./${name}.js`, `../../dist/daemon/${name}.js`].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  );
}

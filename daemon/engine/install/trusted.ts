import { dirname, join } from 'node:path';
import { cacheFolder } from '../../../protocol/cacheFolder.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { foreignAmong } from '../../files/ownFolder.ts';
import { type Manifest, manifestName } from './manifest.ts';
import { type Env, engineIn } from './places.ts';

/**
 * Refuses libraries in the cache that another user could have written: to load them is to run them. A cache may be shared; what a variable
 * names is the user's own choice, and is not asked about.
 * @param libraries those that are loaded, beside the files of the manifest
 * @param variable names a library or folder that the user trusts
 * @throws UnimissError 'engine'
 */
export async function requireTrusted(
  folder: string,
  { files }: Manifest,
  { libraries, variable, env }: { libraries: readonly string[]; variable: string; env: Env },
): Promise<void> {
  const own = files.map(({ path }) => join(folder, path));
  const foreign = await foreignAmong([join(folder, manifestName), ...own, ...libraries], cacheFolder(env));
  if (!foreign) return;
  const [library = folder] = libraries;
  const trusted = variable === 'UNIMISS_TENSORFLOW' ? dirname(library) : library;
  throw new UnimissError('engine', `${foreign.why}, so what lies there is not loaded`, {
    place: foreign.place,
    remedy: `If it is yours, run \`chmod -R go-w '${cacheFolder(env)}'\`. If you trust whoever installed it, set ${variable}=${trusted}. Otherwise set UNIMISS_CACHE to a folder of your own, and run \`${engineIn(folder).command}\`.`,
  });
}

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ConfigKind } from '../../../../protocol/config/index.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import { RunFolder } from '../../folder/runFolder.ts';
import { exportedNetwork, planFile } from './exportedNetwork.ts';
import type { NetworkSource, NetworkSources } from './networkSource.ts';
import { networkOfRun } from './runNetwork.ts';

/**
 * The networks in some folders. Each is a run, an export, or a folder that holds some of them: the folds of a data set.
 * @throws UnimissError 'run' where there is none, or they are for different images or classes
 */
export async function openSources(folders: readonly string[], kinds?: readonly ConfigKind[]): Promise<NetworkSources> {
  const found: NetworkSource[] = [];
  for (const folder of folders) found.push(...(await sourcesIn(folder, kinds)));
  const [first, ...others] = found;
  if (!first) throw new UnimissError('internal', 'a prediction without a network', { place: 'run' });
  for (const other of others) requireSame(first, other);
  return [first, ...others];
}

async function sourcesIn(folder: string, kinds?: readonly ConfigKind[]): Promise<NetworkSource[]> {
  const own = await sourceOf(folder, kinds);
  if (own) return [own];
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new UnimissError('run', `there is no run "${basename(folder)}" in ${dirname(folder)}`, {
      remedy: '`unimiss runs` lists the existing runs.',
      cause: error,
    });
  });
  const folds: NetworkSource[] = [];
  for (const name of names.filter((each) => !each.startsWith('.')).sort()) {
    const fold = await sourceOf(join(folder, name), kinds);
    if (fold) folds.push(fold);
  }
  if (folds.length > 0) return folds;
  throw new UnimissError('run', 'is neither a run nor an export, and holds none', {
    place: folder,
    remedy: 'Give the folder of a fine-tuning run, a folder that `unimiss export` wrote, or a folder with several.',
  });
}

async function sourceOf(folder: string, kinds?: readonly ConfigKind[]): Promise<NetworkSource | undefined> {
  if (await isThere(join(folder, 'run.json'))) return networkOfRun(await RunFolder.open(folder, kinds));
  if (await isThere(join(folder, planFile))) return exportedNetwork(folder);
  return undefined;
}

async function isThere(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

/** What networks of an ensemble have in common; `ignore` and the preset may differ. */
const shared = ['problem', 'modality', 'labels', 'classes', 'patch', 'fit', 'spacing', 'channels'] as const;

function requireSame(first: NetworkSource, other: NetworkSource): void {
  const field = shared.find((name) => JSON.stringify(first.plan[name]) !== JSON.stringify(other.plan[name]));
  if (!field) return;
  const shown = ({ plan }: NetworkSource) => JSON.stringify(plan[field]);
  throw new UnimissError(
    'run',
    `cannot be averaged with ${first.id}: its ${field} is ${shown(other)}, not ${shown(first)}`,
    { place: other.folder, remedy: 'Give folds that were trained with the same plan.' },
  );
}

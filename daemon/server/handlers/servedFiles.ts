import { realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { notThere } from '../../../protocol/files/messages.ts';
import { isInside } from '../../data/datasets/files.ts';
import { dataFolders } from '../../runs/records/imageFile.ts';
import type { RunRegistry } from '../feeds/runRegistry.ts';
import { absolute } from './absolute.ts';

/**
 * Which files clients on other machines may read: those of runs, the folders from which runs read images, and what the user opened
 * by name. Links count as what they lead to.
 */
export class ServedFiles {
  /** Real paths of files and folders. */
  private readonly opened = new Set<string>();

  constructor(private readonly registry: Pick<RunRegistry, 'root' | 'list' | 'find'>) {}

  /** @returns the real path of what the user named. @throws UnimissError 'data' if there is none */
  async open(path: string): Promise<string> {
    const real = await realPath(isAbsolute(path) ? path : join(homedir(), path.replace(/^~(?=\/|$)/, '')));
    this.opened.add(real);
    return real;
  }

  /** @returns the real path of a file or folder. @throws UnimissError 'data' if there is none, or clients may not read it */
  async check(path: string): Promise<string> {
    const real = await realPath(absolute(path));
    if (await this.serves(real)) return real;
    throw new UnimissError('data', 'is not among the files that UniMiSS shows of this machine', {
      place: path,
      remedy: 'Open it, or its folder, by its path: "UniMiSS: Open on Machine".',
    });
  }

  private async serves(real: string): Promise<boolean> {
    const root = await realpath(this.registry.root).catch(() => undefined); // without a run there may be none
    if (root !== undefined && isInside(root, real)) return true;
    if ([...this.opened].some((one) => isInside(one, real))) return true;
    for (const { folder } of (await this.registry.list()).runs) {
      // A run that goes meanwhile, or whose data cannot be reached, hides nothing of the others.
      const folders = await this.registry
        .find(folder)
        .then(dataFolders)
        .catch(() => []);
      for (const data of folders) {
        const place = await realpath(data).catch(() => undefined); // it was removed
        if (place === undefined || !isInside(place, real)) continue;
        this.opened.add(place); // the next look need not read all runs
        return true;
      }
    }
    return false;
  }
}

async function realPath(path: string): Promise<string> {
  try {
    const real = await realpath(path);
    await stat(real);
    return real;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UnimissError('data', code === 'ENOENT' ? notThere : `cannot be read (${messageOf(cause)})`, {
      place: path,
      remedy: 'Check the path: it is one of that machine.',
      cause,
    });
  }
}

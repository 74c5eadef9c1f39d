import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { Build, Device } from '../../../protocol/engine/release.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { type CudaFiles, cudaFiles } from './cuda.ts';
import { elfProblem } from './elf.ts';
import { damagedEngine, damageOf, readManifest } from './manifest.ts';
import { type Env, engineFolder } from './places.ts';
import { requireTrusted } from './trusted.ts';

const FRAMEWORK = 'libtensorflow_framework.so.2';
const CC = 'libtensorflow_cc.so.2';

/** The libraries to load, in this order: `cuda.preload`, `framework` (globally), `cc`. */
export interface EngineFiles {
  /** Its origin: our cache, or the variable UNIMISS_TENSORFLOW. Never a configuration, which others may have written. */
  origin: 'cache' | 'environment';
  /** Folder with both libraries. */
  folder: string;
  framework: string;
  cc: string;
  /** Version and build as installed. A TensorFlow from the variable reveals its version only when loaded (TF_Version). */
  version?: string;
  device?: Build;
  /** NVIDIA's libraries beside it; undefined if there are none, as with the CPU build. */
  cuda?: CudaFiles;
}

export interface FindOptions {
  device?: Device;
  env?: Env;
  /** `process.arch`; tests set it. */
  arch?: string;
}

/**
 * Finds TensorFlow: the one that UNIMISS_TENSORFLOW names, else the one in the cache (on the CPU, the CUDA build serves if the
 * CPU build is not installed). Undefined if nothing is installed.
 * @throws UnimissError `engine` if the variable names no TensorFlow for this machine, or the installed one is damaged, or another user could
 * have written it
 */
export async function findEngine(options: FindOptions = {}): Promise<EngineFiles | undefined> {
  const { device = 'cpu', env = process.env, arch = process.arch } = options;
  if (env.UNIMISS_TENSORFLOW) return namedEngine(env.UNIMISS_TENSORFLOW, arch);
  for (const build of device === 'cpu' ? (['cpu', 'cuda'] as const) : (['cuda'] as const)) {
    const folder = engineFolder(build, env);
    const manifest = await readManifest(folder);
    if (!manifest) continue;
    if (manifest.arch !== arch) {
      throw damagedEngine(folder, `it is built for ${manifest.arch}, but this Node runs on ${arch}`);
    }
    const damage = await damageOf(folder, manifest, 'size');
    if (damage) throw damagedEngine(folder, damage);
    return engineAt(folder, env);
  }
  return undefined;
}

/** As `findEngine`, but throws an error with the command to run if nothing is installed. */
export async function requireEngine(options: FindOptions = {}): Promise<EngineFiles> {
  const engine = await findEngine(options);
  if (engine) return engine;
  const flag = options.device === 'cuda' ? ' --device cuda' : '';
  throw new UnimissError('engine', `TensorFlow${options.device === 'cuda' ? ' with CUDA' : ''} is not installed`, {
    remedy: `Run \`unimiss engine install${flag}\` (once for this user).`,
  });
}

/** The engine in a folder of the cache. @throws UnimissError `engine` if another user could have written it */
export async function engineAt(folder: string, env: Env): Promise<EngineFiles> {
  const manifest = await readManifest(folder);
  if (!manifest) throw damagedEngine(folder, 'its manifest is missing');
  const { version, device } = manifest;
  const found = await librariesIn(join(folder, 'tensorflow'));
  const libraries = [found.framework, found.cc, ...(found.cuda?.preload ?? [])];
  await requireTrusted(folder, manifest, { libraries, variable: 'UNIMISS_TENSORFLOW', env });
  return { origin: 'cache', ...found, version, device };
}

async function librariesIn(folder: string): Promise<Pick<EngineFiles, 'folder' | 'framework' | 'cc' | 'cuda'>> {
  const cuda = await cudaFiles(dirname(folder));
  return { folder, framework: join(folder, FRAMEWORK), cc: join(folder, CC), ...(cuda && { cuda }) };
}

async function namedEngine(folder: string, arch: string): Promise<EngineFiles> {
  const refuse = (what: string): never => {
    throw new UnimissError('engine', what, {
      place: 'UNIMISS_TENSORFLOW',
      remedy:
        `Set it to the absolute path of the folder with ${CC} and ${FRAMEWORK} ` +
        '(in a Python environment: site-packages/tensorflow), or unset it and run `unimiss engine install`.',
    });
  };
  if (!isAbsolute(folder)) refuse(`"${folder}" is not an absolute path`);
  for (const name of [FRAMEWORK, CC]) {
    const file = join(folder, name);
    const found = await stat(file).catch((error: NodeJS.ErrnoException) =>
      refuse(`${file} cannot be read (${error.code})`),
    );
    if (!found.isFile()) refuse(`${file} is not a file`);
    const problem = await elfProblem(file, arch);
    if (problem) refuse(`${file} ${problem}`);
  }
  return { origin: 'environment', ...(await librariesIn(folder)) };
}

import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { engineDevices, isPluginDevice, type PluginDevice } from '../../../protocol/config/devices.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { elfProblem } from './elf.ts';
import { chooseDevice, cuda13 } from './gpu.ts';
import { checkHost, thisHost } from './host.ts';
import { type InstallOptions, installRelease } from './install.ts';
import { damagedEngine, damageOf, readManifest } from './manifest.ts';
import { type Env, engineFolder } from './places.ts';
import { pluginReleases as pinned } from './pluginReleases.ts';
import { requireTrusted } from './trusted.ts';
import { sizesOf } from './wheelFiles.ts';

/** Where a plugin is. */
export interface PluginFile {
  readonly origin: 'cache' | 'environment';
  readonly device: PluginDevice;
  /** The shared library. */
  readonly file: string;
  /** Of its wheel, if it comes from the cache. */
  readonly version?: string;
}

/** Wheels that have a plugin, for devices for which none is pinned; in a Python environment they find their libraries. */
const elsewhere: Partial<Record<PluginDevice, string>> = {
  'pjrt:rocm': 'jax-rocm7-pjrt: jax_plugins/xla_rocm7/xla_rocm_plugin.so',
  'pjrt:oneapi': 'intel-extension-for-openxla',
};

/** What each plugin takes that can be installed for a processor (`process.arch`), in bytes. */
export function pluginSizes(arch: string): Partial<Record<PluginDevice, { download: number; disk: number }>> {
  if (arch !== 'x64') return {};
  return Object.fromEntries(Object.values(pinned).map(({ device, wheels }) => [device, sizesOf(wheels)]));
}

/** The version of the plugin that can be installed for a device, if there is one. */
export function pinnedPlugin(device: PluginDevice): string | undefined {
  return pinned[device]?.version;
}

/**
 * Puts a plugin of PJRT into the user's cache, as `installEngine` does for TensorFlow.
 * @throws UnimissError `engine` where none is pinned for the device, `disk` or `interrupted`
 */
export async function installPlugin(device: PluginDevice, options: InstallOptions = {}): Promise<PluginFile> {
  const { env = process.env, host = thisHost(), allowCpu, signal, onProgress = () => {} } = options;
  checkHost(host);
  if (device === 'pjrt:cuda' && !allowCpu) await chooseDevice('cuda', { env, cuda: cuda13 }); // gigabytes that nothing could use
  const release = options.release ?? pinned[device];
  if (!release || (host.arch !== 'x64' && !options.release)) throw notPinned(device);
  const done = `The plugin ${release.version} (${device}) is installed`;
  const folder = await installRelease(release, { env, host, signal, onProgress, done });
  return { origin: 'cache', device, file: join(folder, release.required[0] ?? ''), version: release.version };
}

/**
 * Finds the plugin for a device: the one that UNIMISS_PJRT names, else the one in the cache. Undefined if nothing is installed.
 * @throws UnimissError `engine` if the variable names no library for this machine, or the installed one is damaged, or another user could
 * have written it
 */
export async function findPlugin(
  device: PluginDevice,
  env: Env = process.env,
  arch = process.arch,
): Promise<PluginFile | undefined> {
  if (env.UNIMISS_PJRT) return { origin: 'environment', device, file: await namedPlugin(env.UNIMISS_PJRT, arch) };
  const release = pinned[device];
  if (!release) return undefined;
  const folder = engineFolder(device, env, release.version);
  const manifest = await readManifest(folder);
  if (!manifest) return undefined;
  const damage = await damageOf(folder, manifest, 'size');
  if (damage) throw damagedEngine(folder, damage);
  const file = join(folder, release.required[0] ?? '');
  await requireTrusted(folder, manifest, { libraries: [file], variable: 'UNIMISS_PJRT', env });
  return { origin: 'cache', device, file, version: release.version };
}

/**
 * Every plugin that a run could use, by its device: the one that UNIMISS_PJRT names stands for all devices, as `pjrt`. Instead of one
 * that is damaged, not trusted or not there although it is named: why.
 */
export async function findPlugins(
  env: Env = process.env,
  arch = process.arch,
): Promise<ReadonlyMap<PluginDevice | 'pjrt', PluginFile | UnimissError>> {
  const found = new Map<PluginDevice | 'pjrt', PluginFile | UnimissError>();
  const devices = env.UNIMISS_PJRT ? (['pjrt:cpu'] as const) : engineDevices.filter(isPluginDevice);
  for (const device of devices) {
    const plugin = await findPlugin(device, env, arch).catch((error: unknown) => {
      if (error instanceof UnimissError) return error;
      throw error;
    });
    if (plugin) found.set(env.UNIMISS_PJRT ? 'pjrt' : device, plugin);
  }
  return found;
}

/** As `findPlugin`, but throws an error with what to do if nothing is installed. */
export async function requirePlugin(device: PluginDevice, env: Env = process.env): Promise<PluginFile> {
  const found = device === 'pjrt:metal' ? undefined : await findPlugin(device, env);
  if (found) return found;
  if (!pinned[device]) throw notPinned(device);
  throw new UnimissError('engine', `no plugin of PJRT for ${device} is installed`, {
    remedy: `Run \`unimiss engine install --device ${device}\` (once for this user).`,
  });
}

function notPinned(device: PluginDevice): UnimissError {
  if (device === 'pjrt:metal')
    return new UnimissError('engine', 'UniMiSS does not run on Apple GPUs yet: pjrt:metal waits for macOS', {
      remedy: 'Use another engine.device, on a Linux machine.',
    });
  const wheel = elsewhere[device];
  return new UnimissError('engine', `UniMiSS has no plugin of PJRT for ${device} on this machine`, {
    remedy: `Set UNIMISS_PJRT to the absolute path of one${wheel ? ` (${wheel})` : ''}, or use another engine.device.`,
  });
}

async function namedPlugin(file: string, arch: string): Promise<string> {
  const refuse = (what: string): never => {
    throw new UnimissError('engine', what, {
      place: 'UNIMISS_PJRT',
      remedy: 'Set it to the absolute path of the shared library of a plugin, or unset it.',
    });
  };
  if (!isAbsolute(file)) refuse(`"${file}" is not an absolute path`);
  const found = await stat(file).catch((error: NodeJS.ErrnoException) =>
    refuse(`${file} cannot be read (${error.code})`),
  );
  if (!found.isFile()) refuse(`${file} is not a file`);
  const problem = await elfProblem(file, arch);
  if (problem) refuse(`${file} ${problem}`);
  return file;
}

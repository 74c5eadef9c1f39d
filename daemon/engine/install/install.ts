import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Device, type EngineRelease, releaseFor, type WheelPin } from '../../../protocol/engine/release.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { syncFolder } from '../../files/atomic.ts';
import { type LockOwner, lockFile } from '../../native/fileLock.ts';
import { cacheError, checkSpace, makeWritable } from './disk.ts';
import { type EngineFiles, engineAt } from './find.ts';
import { chooseDevice } from './gpu.ts';
import { checkHost, type Host, thisHost } from './host.ts';
import { damageOf, readManifest, writeManifest } from './manifest.ts';
import { downloadWheel, findPip } from './pip.ts';
import { type Env, engineFolder } from './places.ts';
import { hashFile, type UnpackedFile, unpackZip } from './unpack.ts';
import { wantedPath } from './wheelFiles.ts';

export interface InstallProgress {
  stage: 'check' | 'wait' | 'download' | 'unpack' | 'done';
  /** One line for people. */
  message: string;
  /** Bytes of this stage that are done, and its total. */
  done?: number;
  total?: number;
}

export interface InstallOptions {
  device?: Device;
  /** If no GPU is usable, instead of an error: the CPU build of TensorFlow, or the plugin all the same (for another machine). */
  allowCpu?: boolean;
  onProgress?(progress: InstallProgress): void;
  signal?: AbortSignal;
  env?: Env;
  /** Another build than the pinned one, and another machine than this; for tests. */
  release?: EngineRelease;
  host?: Host;
}

/**
 * Puts TensorFlow's libraries into the user's cache, unless they are there already, and returns their place.
 *
 * Fetches the wheels through pip, unpacks them under a temporary name, and renames the folder when everything is complete and
 * synced. If two installations run at once, the second waits for the first and uses its result. After an interruption, the next
 * call keeps complete wheels and removes the rest.
 * @throws UnimissError `engine`, `disk` or `interrupted`, with the remedy
 */
export async function installEngine(options: InstallOptions = {}): Promise<EngineFiles> {
  const { env = process.env, host = thisHost(), signal, onProgress = () => {} } = options;
  checkHost(host);
  const { device, notice } = await chooseDevice(options.device ?? 'cpu', { allowCpu: options.allowCpu, env });
  if (notice) onProgress({ stage: 'check', message: notice });
  const release = options.release ?? releaseFor(device, host.arch);
  const done = `TensorFlow ${release.version} (${device}) is installed`;
  const folder = await installRelease(release, { env, host, signal, onProgress, done });
  return engineAt(folder, env);
}

/**
 * Puts a release into the cache, unless it is there already.
 * @param options.done reported when it has come there
 * @returns its folder
 */
export async function installRelease(
  release: EngineRelease,
  { env, host, signal, onProgress, done }: StageOptions & { env: Env; host: Host; done: string },
): Promise<string> {
  const { device } = release;
  const folder = engineFolder(device, env, release.version);
  const partial = `${folder}.partial`;
  try {
    if (await isHealthy(folder, onProgress)) return folder; // even in a cache that others installed and this user may only read
    await makeWritable(dirname(folder));
    const lock = await lockFile(`${folder}.lock`, waiting(onProgress, signal));
    try {
      if (await isHealthy(folder, onProgress)) return folder; // meanwhile
      await makeWritable(partial);
      const wheels = await fetchWheels(release, partial, { env, signal, onProgress });
      const files = await unpackWheels(release, wheels, partial, { signal, onProgress });
      await writeManifest(join(partial, 'unpacked'), {
        format: 1,
        version: release.version,
        device,
        arch: host.arch,
        installed: new Date().toISOString(),
        wheels: release.wheels.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
        files,
      });
      await publish(partial, folder);
    } finally {
      lock.release();
    }
  } catch (error) {
    throw cacheError(error, folder);
  }
  onProgress({ stage: 'done', message: done });
  return folder;
}

/** Waits for another installation, and reports that once. */
const waiting =
  (onProgress: (progress: InstallProgress) => void, signal: AbortSignal | undefined) =>
  async (owner: LockOwner | undefined, attempt: number): Promise<void> => {
    if (attempt === 1)
      onProgress({
        stage: 'wait',
        message: `Waiting for another installation${owner ? ` (process ${owner.pid})` : ''}`,
      });
    await delay(200, undefined, { signal }).catch(() => {
      throw new UnimissError('interrupted', 'Stopped while waiting for another installation');
    });
  };

/** Whether a folder has an engine, whose files have the right SHA-256. A damaged one counts as missing here, and is replaced. */
async function isHealthy(folder: string, onProgress: StageOptions['onProgress']): Promise<boolean> {
  try {
    const manifest = await readManifest(folder);
    if (manifest === undefined) return false;
    onProgress({ stage: 'check', message: 'Checking the installed files' }); // seconds for gigabytes
    return !(await damageOf(folder, manifest, 'hash'));
  } catch (error) {
    if (error instanceof UnimissError) return false;
    throw error;
  }
}

type StageOptions = Pick<InstallOptions, 'signal'> & { onProgress(progress: InstallProgress): void };

/** The wheels in the order of the release: uses those that an earlier attempt completed, and fetches the others. */
async function fetchWheels(
  release: EngineRelease,
  partial: string,
  { env, signal, onProgress }: StageOptions & { env: Env },
): Promise<string[]> {
  const complete = await keepComplete(release, partial, signal);
  const missing = release.wheels.filter((wheel) => !complete.has(wheel));
  // pip stores a wheel twice for a moment: in its download folder and at its destination.
  const largest = Math.max(0, ...missing.map((wheel) => wheel.bytes));
  const unpacked = sum(release.wheels.map((wheel) => wheel.unpackedBytes));
  await checkSpace(partial, Math.ceil(1.02 * (sum(missing.map((wheel) => wheel.bytes)) + largest + unpacked)));
  if (missing.length > 0) {
    const pip = await findPip(env, partial);
    const total = sum(missing.map((wheel) => wheel.bytes));
    let before = 0;
    for (const wheel of missing) {
      const message = `Downloading ${wheel.name} ${wheel.version} with pip ${pip.version}`;
      const report = (bytes: number): void =>
        onProgress({ stage: 'download', message, done: before + Math.min(bytes, wheel.bytes), total });
      report(0);
      const file = await downloadWheel(pip, wheel, {
        platforms: release.platforms,
        folder: partial,
        env,
        signal,
        onBytes: report,
      });
      // pip has checked it. Check once more, because a pip can be configured or replaced in ways we do not see.
      if ((await hashFile(file, signal)) !== wheel.sha256) {
        await rm(file);
        throw new UnimissError(
          'engine',
          `The download of ${wheel.name} ${wheel.version} is damaged (SHA-256 differs)`,
          {
            remedy: 'Run the installation again.',
          },
        );
      }
      before += wheel.bytes;
    }
  }
  return release.wheels.map((wheel) => join(partial, `${wheel.name}.whl`));
}

/** Removes what an interrupted attempt left, except complete wheels; returns those. */
async function keepComplete(release: EngineRelease, partial: string, signal?: AbortSignal): Promise<Set<WheelPin>> {
  const complete = new Set<WheelPin>();
  for (const name of await readdir(partial)) {
    const wheel = release.wheels.find((each) => `${each.name}.whl` === name);
    if (wheel && (await hashFile(join(partial, name), signal)) === wheel.sha256) complete.add(wheel);
    else await rm(join(partial, name), { recursive: true, force: true });
  }
  return complete;
}

async function unpackWheels(
  release: EngineRelease,
  wheels: string[],
  partial: string,
  { signal, onProgress }: StageOptions,
): Promise<UnpackedFile[]> {
  const folder = join(partial, 'unpacked');
  await mkdir(folder, { mode: 0o755 });
  const total = sum(release.wheels.map((wheel) => wheel.unpackedBytes));
  const step = total / 50;
  let before = 0;
  let reported = Number.NEGATIVE_INFINITY;
  const files: UnpackedFile[] = [];
  for (const [i, wheel] of release.wheels.entries()) {
    const unpacked = await unpackZip(wheels[i]!, folder, {
      signal,
      place: (entry) => wantedPath(wheel.name, entry),
      onBytes: (bytes) => {
        const done = before + bytes;
        if (done - reported < step) return;
        reported = done;
        onProgress({ stage: 'unpack', message: `Unpacking ${wheel.name}`, done: Math.min(done, total), total });
      },
    });
    before += sum(unpacked.map((file) => file.bytes));
    files.push(...unpacked);
  }
  for (const path of release.required) {
    if (!files.some((file) => file.path === path)) {
      throw new UnimissError('engine', `The wheels do not contain ${path}`, {
        remedy: 'Report this: the pinned release is wrong.',
      });
    }
  }
  return files;
}

/** Moves the unpacked engine into its place (replacing a damaged one) and removes what is no longer needed. */
async function publish(partial: string, folder: string): Promise<void> {
  await syncFolder(join(partial, 'unpacked'));
  await rename(folder, join(partial, 'replaced')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(join(partial, 'unpacked'), folder);
  await syncFolder(dirname(folder));
  await rm(partial, { recursive: true, force: true });
}

const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);

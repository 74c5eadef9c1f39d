import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { WheelPin } from '../../../protocol/engine/release.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { compareVersions } from './host.ts';
import { explainPip } from './pipErrors.ts';
import { type Env, home } from './places.ts';

const run = promisify(execFile);

/** The first pip that takes several `--platform`s. */
const OLDEST_PIP = '20.3';
const POLL_MS = 300;

/** A way to start pip. */
export interface Pip {
  command: string;
  args: string[];
  version: string;
}

/** Where pip may be: a module of a Python, a program, or behind pyenv's shims if these are not on the PATH. */
function candidates(env: Env): [string, string[]][] {
  const shims = join(env.PYENV_ROOT || join(home(env), '.pyenv'), 'shims');
  return [
    ['python3', ['-m', 'pip']],
    ['python', ['-m', 'pip']],
    ['pip3', []],
    ['pip', []],
    [join(shims, 'python3'), ['-m', 'pip']],
    [join(shims, 'pip'), []],
  ];
}

/**
 * Finds a pip that can fetch the wheels. It need not belong to a certain version of Python, since nothing runs with it.
 * @throws UnimissError `engine` if there is none, or all are too old.
 */
export async function findPip(env: Env = process.env, folder = '/'): Promise<Pip> {
  let tooOld: string | undefined;
  for (const [command, args] of candidates(env)) {
    let output: string;
    try {
      // Not in the user's folder, since Python would import a file pip.py from there.
      const options = { env, timeout: 30_000, cwd: folder, encoding: 'utf8' as const };
      output = (await run(command, [...args, '--version'], options)).stdout;
    } catch {
      continue; // not there, or a Python without pip: the next may have it
    }
    const version = /^pip (\d+(?:\.\d+)+)/.exec(output)?.[1];
    if (!version) continue;
    if (compareVersions(version, OLDEST_PIP) >= 0) return { command, args, version };
    tooOld ??= version;
  }
  if (tooOld) {
    throw new UnimissError(
      'engine',
      `pip ${tooOld} is too old to download the engine, which needs ${OLDEST_PIP} or newer`,
      {
        remedy: 'Upgrade it: `python3 -m pip install --user --upgrade pip`.',
      },
    );
  }
  throw new UnimissError('engine', "Python's pip was not found; UniMiSS needs it to download the engine", {
    remedy:
      'Install it (Debian, Ubuntu: `sudo apt install python3-pip`; Fedora: `sudo dnf install python3-pip`), ' +
      'or use an installed TensorFlow (UNIMISS_TENSORFLOW=folder with libtensorflow_cc.so.2).',
  });
}

export interface DownloadOptions {
  platforms: string[];
  /** Folder for the wheel and for pip's temporary files; on the same disk as the cache. */
  folder: string;
  env: Env;
  signal?: AbortSignal;
  /** Bytes fetched so far. */
  onBytes?(bytes: number): void;
}

/** Prefix of the folders of attempts, which a killed attempt leaves behind. */
export const ATTEMPT_PREFIX = 'pip-';

/**
 * Fetches one wheel from the package index that the user's pip is configured for; pip compares its SHA-256. The wheel appears as
 * `folder/<name>.whl` whole or not at all.
 * @throws UnimissError `engine`, `disk` or `interrupted`
 */
export async function downloadWheel(pip: Pip, wheel: WheelPin, options: DownloadOptions): Promise<string> {
  const attempt = await mkdtemp(join(options.folder, ATTEMPT_PREFIX));
  const out = join(attempt, 'out');
  await mkdir(out);
  const requirements = join(attempt, 'requirements.txt');
  await writeFile(requirements, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  const args = [
    ...['download', '--no-deps', '--only-binary=:all:', '--require-hashes'],
    ...['--disable-pip-version-check', '--no-input', '--progress-bar', 'off'],
    ...['--implementation', 'cp', '--python-version', '3.12', '--abi', 'cp312'],
    ...options.platforms.flatMap((tag) => ['--platform', tag]),
    ...['--dest', out, '--requirement', requirements],
  ];
  const { code, output } = await runPip(pip, args, attempt, options);
  if (code !== 0) throw explainPip(output, wheel);
  const name = (await readdir(out)).find((each) => each.endsWith('.whl'));
  if (!name) throw explainPip(output, wheel);
  const target = join(options.folder, `${wheel.name}.whl`);
  await rename(join(out, name), target);
  return target;
}

async function runPip(
  pip: Pip,
  args: string[],
  attempt: string,
  { env, signal, onBytes }: DownloadOptions,
): Promise<{ code: number | null; output: string }> {
  // pip downloads into TMPDIR, and /tmp is often a small file system in memory.
  const child = spawn(pip.command, [...pip.args, ...args], {
    cwd: attempt,
    env: { ...env, TMPDIR: attempt },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (piece: string): void => {
    output = (output + piece).slice(-20_000);
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  const stop = (): void => void child.kill('SIGTERM');
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  const poll = setInterval(() => {
    // If a size cannot be read, pip has just moved the file; the next poll finds it.
    largestWheel(attempt).then(
      (bytes) => bytes && onBytes?.(bytes),
      () => {},
    );
  }, POLL_MS);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (signal?.aborted) throw new UnimissError('interrupted', 'Stopped while downloading');
    return { code, output };
  } finally {
    clearInterval(poll);
    signal?.removeEventListener('abort', stop);
  }
}

/** pip copies a wheel when it is complete, so the largest file shows the progress of the download. */
async function largestWheel(folder: string): Promise<number> {
  let largest = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    if (name.endsWith('.whl')) largest = Math.max(largest, (await stat(join(folder, name))).size);
  }
  return largest;
}

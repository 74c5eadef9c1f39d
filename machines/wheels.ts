import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { cacheFolder } from '../protocol/cacheFolder.ts';
import type { Wheel } from '../protocol/daemon/engineMessages.ts';
import { releaseFor } from '../protocol/engine/release.ts';
import { UnimissError } from '../protocol/errors.ts';
import { humanBytes } from '../protocol/words.ts';
import { copyError, type PrepareOptions } from './prepare.ts';
import { runScript } from './runScript.ts';
import { wheelScript } from './scripts.ts';

/** What an installation of TensorFlow needs: exactly these files of the package index. */
export interface Needed {
  /** Of TensorFlow. */
  version: string;
  device: 'cpu' | 'cuda';
  wheels: readonly Wheel[];
  /** For the request, whatever system this one is. */
  platforms: readonly string[];
}

/** What TensorFlow needs on any machine of a device, as this version of UniMiSS pins it. */
function pinnedFor(device: Needed['device']): readonly Wheel[] {
  const processors = device === 'cuda' ? ['x64'] : ['x64', 'arm64'];
  return processors.flatMap((processor) => releaseFor(device, processor).wheels);
}

/**
 * Brings the wheels of TensorFlow to a machine that reaches no package index: they are fetched here by the user's pip, kept in the cache,
 * and copied over `ssh` to where the installation there looks for them. It checks them once more. A machine chooses among the files that this
 * version pins; it cannot ask for others.
 * @throws UnimissError 'engine', 'disk', 'daemon' or 'interrupted'; what was brought completely stays, and is not brought again
 */
export async function bringWheels(
  host: string,
  { version, device, wheels, platforms }: Needed,
  options: PrepareOptions & { /** Tests set it. */ pinned?: readonly Wheel[] },
): Promise<void> {
  const { pinned = pinnedFor(device) } = options;
  for (const wheel of wheels) {
    if (!pinned.some((pin) => pin.name === wheel.name && pin.sha256 === wheel.sha256 && pin.bytes === wheel.bytes))
      throw new UnimissError(
        'engine',
        `asks for ${wheel.name} ${wheel.version}, which is none of the files that this version of UniMiSS brings`,
        {
          place: host,
          remedy: 'Is its background server of another version? Restart it, then install TensorFlow again.',
        },
      );
    const file = await fetchWheel(wheel, platforms, options);
    await send(host, file, wheel, wheelScript({ folder: `${version}-${device}`, wheel }), options);
  }
}

async function send(host: string, file: string, { name, bytes }: Wheel, script: string, options: PrepareOptions) {
  let sent = 0;
  const counted = new Transform({
    transform: (piece: Buffer, _encoding, done) => {
      sent += piece.length;
      options.onProgress?.(`Copying ${name} to ${host}: ${humanBytes(sent)} of ${humanBytes(bytes)}`);
      done(null, piece);
    },
  });
  const read = createReadStream(file, { highWaterMark: 1 << 18 });
  // `pipe` alone would leave the other end waiting for what cannot be read.
  read.on('error', (error) => counted.destroy(error));
  const input = read.pipe(counted);
  const { code, errors } = await runScript(host, script, { ...options, input });
  if (code !== 0) throw copyError(host, code, errors);
}

/** A wheel in the cache of this machine. */
async function fetchWheel(wheel: Wheel, platforms: readonly string[], options: PrepareOptions): Promise<string> {
  const { signal, onProgress, env = process.env } = options;
  const folder = join(cacheFolder(env), 'machines', 'wheels');
  const file = join(folder, `${wheel.name}-${wheel.version}.whl`);
  if (await isWhole(file, wheel)) return file;
  await mkdir(folder, { recursive: true });
  const place = await mkdtemp(join(folder, 'pip-'));
  try {
    onProgress?.(`Fetching ${wheel.name} ${wheel.version}: ${humanBytes(wheel.bytes)}`);
    const [command, args] = await findPip(env);
    const requirement = join(place, 'requirements.txt');
    await writeFile(requirement, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
    const asked = [
      ...[
        'download',
        '--no-deps',
        '--only-binary=:all:',
        '--require-hashes',
        '--disable-pip-version-check',
        '--no-input',
      ],
      ...['--progress-bar', 'off', '--implementation', 'cp', '--python-version', '3.12', '--abi', 'cp312'],
      ...platforms.flatMap((tag) => ['--platform', tag]),
      ...['--dest', place, '--requirement', requirement],
    ];
    const child = spawn(command, [...args, ...asked], { cwd: place, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-1000);
      });
    const [code] = await once(child, 'close').catch((cause) => {
      if (signal?.aborted) throw new UnimissError('interrupted', 'cancelled', { cause });
      throw cause;
    });
    const found = (await readdir(place)).find((name) => name.endsWith('.whl'));
    if (code !== 0 || found === undefined)
      throw new UnimissError('engine', `pip could not fetch ${wheel.name} here either`, {
        remedy: `Check the network and pip's proxy (\`pip config list\`). It said: ${said.trim().split('\n').slice(-2).join(' / ')}`,
      });
    if (!(await isWhole(join(place, found), wheel)))
      throw new UnimissError('engine', `the package index returned an unexpected file for ${wheel.name}`, {
        remedy: 'Nothing was copied. Ask the owner of the mirror or proxy that pip uses, or use another one.',
      });
    await rename(join(place, found), file);
    return file;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function isWhole(file: string, { bytes, sha256 }: Wheel): Promise<boolean> {
  const size = await stat(file).then(
    (found) => found.size,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
  if (size !== bytes) return false;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex') === sha256;
}

const run = promisify(execFile);

/** The user's pip: a module of a Python, or a program. `py` starts Python on Windows. */
async function findPip(env: NodeJS.ProcessEnv): Promise<[command: string, args: string[]]> {
  const candidates: [string, string[]][] = [
    ['python3', ['-m', 'pip']],
    ['python', ['-m', 'pip']],
    ['py', ['-m', 'pip']],
    ['pip3', []],
    ['pip', []],
  ];
  for (const [command, args] of candidates) {
    const version = await run(command, [...args, '--version'], { env, timeout: 30_000, windowsHide: true }).then(
      ({ stdout }) => stdout,
      () => '', // it is not there, or a Python without pip: the next may have it
    );
    if (version.startsWith('pip ')) return [command, args];
  }
  throw new UnimissError('engine', 'there is no pip here to fetch TensorFlow with', {
    remedy: 'Install Python with pip on this machine, or on the other one give pip an index that it reaches.',
  });
}

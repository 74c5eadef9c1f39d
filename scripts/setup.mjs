// Makes a fresh clone ready: checks Node, installs the npm packages if they are missing or differ from the lock file. Uses only
// Node's own modules, since nothing else may be installed yet.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Why this Node cannot be used, as a sentence; undefined if it can. `wanted` is like ">=20.19". */
export function nodeProblem(version, wanted) {
  const numbers = (text) =>
    text
      .replace(/^[^\d]*/, '')
      .split('.')
      .map(Number);
  const [major = 0, minor = 0] = numbers(version);
  const [wantedMajor = 0, wantedMinor = 0] = numbers(wanted);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return undefined;
  return (
    `UniMiSS needs Node ${wantedMajor}.${wantedMinor} or newer, and this is ${version}.\n` +
    `  Install a newer one, for example with nvm: nvm install ${wantedMajor}`
  );
}

/**
 * Why the npm packages must be installed, as a phrase; undefined if they need not. npm records installed packages in
 * node_modules/.package-lock.json; compared with the lock file, only optional packages (for other systems) may be missing there.
 */
export function staleReason(folder) {
  const installedLock = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(installedLock)) return 'they are not installed yet';
  const wanted = readLock(join(folder, 'package-lock.json'));
  const installed = readLock(installedLock);
  if (!installed) return 'the last installation was not completed';
  for (const [path, { version, integrity, optional }] of Object.entries(wanted ?? {})) {
    if (path === '') continue;
    const found = installed[path];
    if (!found && optional) continue;
    if (!found || found.version !== version || found.integrity !== integrity) return 'package-lock.json has changed';
    if (!existsSync(join(folder, path, 'package.json'))) return `${path} is missing`;
  }
  for (const path of Object.keys(installed)) {
    if (wanted && !(path in wanted)) return 'package-lock.json has changed';
  }
  return undefined;
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** Runs the two checks, and `npm ci` if needed. Throws an Error whose message is for people. */
export async function setup(folder = root, log = console.error) {
  const { engines } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const problem = nodeProblem(process.version, engines.node);
  if (problem) throw new Error(problem);
  const reason = staleReason(folder);
  if (!reason) return;
  log(`Installing the npm packages, because ${reason} (about half a minute) …`);
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const ticking = setInterval(() => log(`… still installing the npm packages (${seconds()} s)`), 10_000);
  try {
    await npmCi(folder);
  } finally {
    clearInterval(ticking);
  }
  const still = staleReason(folder);
  if (still) throw new Error(`npm ci ran, but ${still}. Delete node_modules and run it again.`);
  log(`The npm packages are installed (${seconds()} s).`);
}

async function npmCi(folder) {
  // Under `npm run`, uses the same npm; otherwise the one on the PATH.
  const own = process.env.npm_execpath;
  const underNpm = own !== undefined && basename(own) === 'npm-cli.js';
  const args = ['ci', '--no-progress', '--no-fund', '--no-audit', '--loglevel=error'];
  const options = { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], shell: !underNpm && process.platform === 'win32' };
  const child = underNpm ? spawn(process.execPath, [own, ...args], options) : spawn('npm', args, options);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`npm cannot be started (${error.message}). It comes with Node.`)));
    child.on('close', resolve);
  });
  if (code !== 0) {
    throw new Error(
      `${output.trim()}\nnpm ci failed. Check the network and npm's registry and proxy (npm config list), then run it again.`,
    );
  }
}

/**
 * Runs a program with this process's terminal and resolves with its exit code. Ctrl-C reaches the program itself, since it is in
 * the same process group, so this only waits until it has stopped. Passes on other signals.
 */
export async function run(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  const wait = () => {};
  const passOn = (signal) => child.kill(signal);
  process.on('SIGINT', wait);
  process.on('SIGTERM', passOn);
  process.on('SIGHUP', passOn);
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
    });
  } finally {
    process.off('SIGINT', wait);
    process.off('SIGTERM', passOn);
    process.off('SIGHUP', passOn);
  }
}

/** Runs a script's main function; turns a failure into its message and exit code 1. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(() => setup());

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { onTestFinished } from 'vitest';
import type { EngineRelease, WheelPin } from '../../../protocol/engine/release.ts';
import type { Host } from './host.ts';
import type { Env } from './places.ts';

/** A machine on which the engine runs. */
export const goodHost: Host = {
  platform: 'linux',
  arch: 'x64',
  glibc: '2.36',
  cpuModel: 'Test CPU',
  cpuFlags: ['avx'],
};

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unimiss-install-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A separate small file system, if the tests run as root; undefined if they may not mount one. */
export function tinyFileSystem(size: string): { folder: string; remount(options: string): void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'unimiss-tmpfs-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, remount: (options) => void execFileSync('mount', ['-o', `remount,${options}`, folder]) };
}

/** The beginning of an ELF-64 library for a machine (62: x86-64), as large as asked, section headers at its end. */
export function fakeElf(machine = 62, size = 4096): Buffer {
  const file = Buffer.alloc(size, 7);
  file.fill(0, 0, 64);
  file.writeUInt32BE(0x7f454c46, 0);
  file[4] = 2;
  file[5] = 1;
  file.writeUInt16LE(machine, 18);
  file.writeBigUInt64LE(BigInt(size - 64), 40);
  file.writeUInt16LE(64, 58);
  file.writeUInt16LE(1, 60);
  return file;
}

export const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** A wheel as bytes, with the pin that describes it. */
export interface FakeWheel {
  pin: WheelPin;
  data: Uint8Array;
}

export function fakeWheel(name: string, files: Record<string, Uint8Array>): FakeWheel {
  const data = zipSync(files, { level: 1 });
  const unpackedBytes = Object.values(files).reduce((sum, file) => sum + file.length, 0);
  return { data, pin: { name, version: '9.9.9', sha256: sha256(data), bytes: data.length, unpackedBytes } };
}

/** A TensorFlow of a few kilobytes, with files in its wheel that an installation must skip. */
export const tensorflowWheel = (): FakeWheel =>
  fakeWheel('tensorflow-cpu', {
    'tensorflow/libtensorflow_cc.so.2': fakeElf(62, 40_000),
    'tensorflow/libtensorflow_framework.so.2': fakeElf(62, 10_000),
    'tensorflow/python/module.so': fakeElf(62, 5_000),
    'tensorflow/include/LICENSE': Buffer.from('the licence'),
    'tensorflow_cpu-9.9.9.dist-info/METADATA': Buffer.from('Name: tensorflow_cpu'),
  });

export const fakeRelease = (...wheels: FakeWheel[]): EngineRelease => ({
  version: '9.9.9',
  device: 'cpu',
  wheels: wheels.map((wheel) => wheel.pin),
  platforms: ['manylinux_2_27_x86_64', 'manylinux2014_x86_64'],
  required: ['tensorflow/libtensorflow_framework.so.2', 'tensorflow/libtensorflow_cc.so.2'],
});

/** The only programs on a test's PATH; each is JavaScript. */
export interface Sandbox {
  folder: string;
  env: Env;
  cache: string;
  program(name: string, script: string): void;
}

export function sandbox(cache?: string): Sandbox {
  const folder = tempFolder();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const env: Env = { PATH: bin, HOME: join(folder, 'home'), UNIMISS_CACHE: cache ?? join(folder, 'cache') };
  return {
    folder,
    env,
    cache: env.UNIMISS_CACHE!,
    program(name, script) {
      const file = join(bin, name);
      writeFileSync(file, `#!${process.execPath}\n${script}\n`);
      chmodSync(file, 0o755);
    },
  };
}

/**
 * Puts a pip on the PATH that serves wheels as the real one does (its arguments are logged), or fails with a text.
 * `before` is JavaScript that runs first; it knows `name`, the wheel asked for, and `out`, the folder for it.
 */
export function fakePip(
  box: Sandbox,
  wheels: FakeWheel[],
  options: { command?: string; version?: string; before?: string } = {},
): { calls(): string[][] } {
  const store = join(box.folder, 'store');
  mkdirSync(store, { recursive: true });
  for (const { pin, data } of wheels) writeFileSync(join(store, `${pin.name}.whl`), data);
  const log = join(box.folder, 'pip.log');
  const { command = 'python3', version = '24.0', before = '' } = options;
  box.program(
    command,
    `const fs = require('node:fs'), path = require('node:path');
const args = process.argv.slice(2);
if (args.includes('--version')) { console.log('pip ${version} from /somewhere (python 3.12)'); process.exit(0); }
const after = (flag) => args[args.indexOf(flag) + 1];
const requirement = fs.readFileSync(after('--requirement'), 'utf8').trim();
fs.appendFileSync(${JSON.stringify(log)}, JSON.stringify([...args, requirement]) + '\\n');
const out = after('--dest'), name = requirement.split('==')[0];
function fail(text) { console.error(text); process.exit(1); }
${before}
fs.copyFileSync(path.join(${JSON.stringify(store)}, name + '.whl'), path.join(out, name.replaceAll('-', '_') + '-9.9.9-py3-none-any.whl'));`,
  );
  return {
    calls: () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line))
        : [],
  };
}

/** The reason of a rejected promise. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('The promise was not rejected');
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { SafetensorsFile } from '../../daemon/checkpoint/safetensorsReader.ts';
import { writePhantoms } from '../../daemon/data/phantoms/write.ts';
import type { ConfigInput } from '../../protocol/config/index.ts';
import type { PretrainInput } from '../../protocol/config/pretrain/index.ts';
import type { RunRecord } from '../../protocol/records/records.ts';
import { environmentIn } from '../environment.ts';

const main = resolve('dist/daemon/main.js');

/** A new folder that only this test uses. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `unimiss-test-${name}-`));
}

/** A few small phantoms of both kinds. @returns the manifest */
export async function fewPhantoms(folder: string, volumes = 4, images = 6): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const size = { slices: 18, plane: 72, image: 80 };
  return (await writePhantoms(folder, { seed: 7, volumes, images, size })).manifest;
}

/** A run of seconds that still has everything: both phases, several epochs, checkpoints at their ends and between. */
export function smallConfig(
  manifest: string,
  change: (config: PretrainInput) => void = () => undefined,
): PretrainInput {
  const config: PretrainInput = {
    name: 'small',
    data: { manifest, workers: 1 },
    model: { preset: 'nano', dropPath: 0.1, head: { hidden: 32, bottleneck: 16, outDim: 64 } },
    train: { epochs: 4, interval: 1, batch: { '2D': 2, '3D': 2 }, seed: 3 },
    checkpoint: { everyMinutes: 0.01 },
    engine: { interOpThreads: 2, intraOpThreads: 2 },
  };
  change(config);
  return config;
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command of the built CLI that is running. Its runs go to `<folder>/runs`; its daemon, if it needs one, is the folder's own. */
export class Cli {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  private readonly recordListeners: ((record: RunRecord) => void)[] = [];

  constructor(
    folder: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    stdin: 'ignore' | 'pipe' = 'ignore',
  ) {
    this.process = spawn(process.execPath, [main, ...args], {
      cwd: folder,
      env: environmentIn(folder, { UNIMISS_IDLE_MINUTES: '0.2', ...env }),
      stdio: [stdin, 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    this.process.stderr?.on('data', (data: Buffer) => {
      stderr += data;
    });
    createInterface({ input: this.process.stdout! }).on('line', (line) => {
      stdout += `${line}\n`;
      if (line.startsWith('{"kind"')) for (const listener of this.recordListeners) listener(JSON.parse(line));
    });
    this.finished = once(this.process, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }));
  }

  /** Resolves with the first record that passes; rejects where the command ends before. */
  record(test: (record: RunRecord) => boolean): Promise<RunRecord> {
    const found = new Promise<RunRecord>((done) => {
      this.recordListeners.push((record) => test(record) && done(record));
    });
    const ended = this.finished.then(({ stderr }) => {
      throw new Error(`the command ended without that record:\n${stderr}`);
    });
    return Promise.race([found, ended]);
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }
}

/** Runs a command to its end. */
export function unimiss(folder: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Finished> {
  return new Cli(folder, args, env).finished;
}

/** Writes a configuration file. @returns its path */
export function writeConfig(folder: string, config: ConfigInput): string {
  const file = join(folder, 'test.unimiss.jsonc');
  writeFileSync(file, JSON.stringify(config, null, 2));
  return file;
}

/** Names of the runs below `folder`. */
export function runNames(folder: string): string[] {
  const runs = join(folder, 'runs');
  return existsSync(runs) ? readdirSync(runs).filter((name) => !name.startsWith('.')) : [];
}

/** The only run folder below `folder`. */
export function onlyRun(folder: string): string {
  const names = runNames(folder);
  if (names.length !== 1) throw new Error(`expected one run, found ${names.join(', ') || 'none'}`);
  return join(folder, 'runs', names[0]!);
}

export function recordsOf(run: string): RunRecord[] {
  return readFileSync(join(run, 'records.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunRecord);
}

/** The numbers that must not depend on interruptions: all except times and memory. */
export function numbersOf(records: readonly RunRecord[]): unknown[] {
  return records.flatMap((record): unknown[] => {
    if (record.kind === 'event') return [];
    const { time: _, ...rest } = record;
    if (rest.kind === 'epoch') {
      const { seconds: __, ...epoch } = rest;
      return [epoch];
    }
    const { stepMs, waitMs, rssMiB, values, ...step } = rest;
    const { imagesPerSecond, ...numbers } = values;
    return [{ ...step, values: numbers }];
  });
}

/** Every tensor of the newest checkpoint, as bytes in hex digests would hide where they differ: name → values. */
export async function newestTensors(run: string): Promise<Map<string, Uint8Array>> {
  const folder = join(run, 'checkpoints');
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith('.safetensors'))
    .sort()
    .at(-1);
  if (!newest) throw new Error(`no checkpoint in ${folder}`);
  const file = await SafetensorsFile.open(join(folder, newest));
  try {
    await file.verify();
    const tensors = new Map<string, Uint8Array>();
    for (const name of file.tensors.keys()) {
      const values = await file.read(name);
      tensors.set(name, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    tensors.set('counters', Buffer.from(withoutSeconds(file.metadata.counters)));
    return tensors;
  } finally {
    await file.close();
  }
}

function withoutSeconds(counters: string | undefined): string {
  const { meter, seconds: _, ...rest } = JSON.parse(counters ?? '{}');
  return JSON.stringify({ ...rest, meter: meter && { ...meter, seconds: 0 } });
}

/** Names of the tensors that differ in any bit. */
export function differing(a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): string[] {
  const names = new Set([...a.keys(), ...b.keys()]);
  return [...names].filter((name) => Buffer.compare(a.get(name) ?? Buffer.of(), b.get(name) ?? Buffer.of()) !== 0);
}

import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ConfigInput } from '../../protocol/config/index.ts';
import {
  Cli,
  differing,
  newestTensors,
  numbersOf,
  onlyRun,
  recordsOf,
  runNames,
  temporaryFolder,
  unimiss,
  writeConfig,
} from './trainer.ts';

/** A kill of a run: `until` resolves at its moment. */
export interface Blow {
  name: string;
  until: (cli: Cli, run: () => string) => Promise<unknown>;
}

export interface Unbroken<C extends ConfigInput = ConfigInput> {
  config: C;
  run: string;
  /** From the first record to the last, ms. */
  duration: number;
}

function commandOf({ task = 'pretrain' }: ConfigInput): string {
  return task;
}

/** The run that all interrupted ones must equal. */
export async function unbrokenRun<C extends ConfigInput>(config: C): Promise<Unbroken<C>> {
  const folder = temporaryFolder('unbroken');
  const began = performance.now();
  const { code, stderr } = await unimiss(folder, [commandOf(config), writeConfig(folder, config), '--foreground']);
  expect(code, stderr).toBe(0);
  return { config, run: onlyRun(folder), duration: performance.now() - began };
}

/**
 * SIGKILLs the process that trains the same run at each blow, resumes it in between, lets it finish, and compares it bit for bit.
 * A kill has landed if the process ended by it with the run unfinished. Each must, unless `mayMiss`: then a run that
 * finished before a blow takes no more of them.
 * @returns how many have landed
 */
export async function expectSameAfter(
  unbroken: Unbroken,
  blows: readonly Blow[],
  { mayMiss = false } = {},
): Promise<number> {
  const folder = temporaryFolder('killed');
  const run = () => onlyRun(folder);
  // A command that was killed early has made none yet.
  const exists = () => runNames(folder).length > 0;
  const start = () =>
    exists()
      ? ['resume', run(), '--foreground', '--json']
      : [commandOf(unbroken.config), writeConfig(folder, unbroken.config), '--foreground', '--json'];
  let landed = 0;
  for (const blow of blows) {
    const cli = new Cli(folder, start());
    await Promise.race([blow.until(cli, run), cli.finished]);
    cli.kill('SIGKILL');
    const { signal, code, stderr } = await cli.finished;
    const finished = exists() && isFinished(run());
    if (mayMiss && finished) {
      if (signal !== 'SIGKILL') expect(code, `${blow.name}: ${stderr}`).toBe(0);
      break;
    }
    expect({ signal, finished }, `${blow.name}: ${stderr}`).toEqual({ signal: 'SIGKILL', finished: false });
    landed++;
  }
  if (!isFinished(run())) {
    const last = await unimiss(folder, start());
    expect(last.code, last.stderr).toBe(0);
  }
  await expectSame(run(), unbroken.run);
  const { stdout } = await unimiss(folder, ['runs', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ state: 'finished' });
  expect(readdirSync(join(run(), 'checkpoints')).filter((name) => name.startsWith('.'))).toEqual([]);
  return landed;
}

/** Numbers of all records and the last tensors of two runs are the same, bit for bit. */
export async function expectSame(run: string, other: string): Promise<void> {
  expect(numbersOf(recordsOf(run))).toEqual(numbersOf(recordsOf(other)));
  expect(differing(await newestTensors(run), await newestTensors(other))).toEqual([]);
}

function isFinished(run: string): boolean {
  const file = join(run, 'records.jsonl');
  // What comes after the last line break is a record that the kill tore.
  const whole = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return whole.some((line) => JSON.parse(line).event === 'finish');
}

/** Kills when the given step has been recorded. */
export function afterStep(step: number): Blow {
  return { name: `after step ${step}`, until: (cli) => cli.record((r) => r.kind === 'step' && r.step >= step) };
}

/** Kills while a checkpoint is being written: its temporary file is there. */
export function whileSaving(): Blow {
  return {
    name: 'while a checkpoint is written',
    until: async (cli, run) => {
      await cli.record((r) => r.kind === 'step');
      const folder = join(run(), 'checkpoints');
      await new Promise<void>((done) => {
        const watcher = watch(folder, (_, name) => {
          if (!name?.endsWith('.partial')) return;
          watcher.close();
          done();
        });
        cli.process.once('exit', () => {
          watcher.close();
          done();
        });
      });
    },
  };
}

/** Kills some time after the start, at any point of the run. */
export function afterMilliseconds(ms: number): Blow {
  return { name: `after ${Math.round(ms)} ms`, until: () => new Promise((done) => setTimeout(done, ms)) };
}

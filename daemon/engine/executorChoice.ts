import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import { writeTextAtomically } from '../files/atomic.ts';
import { makeFolder } from '../files/folder.ts';
import type { Executor } from './stepDefinition.ts';

export interface ExecutorChoiceOptions {
  /** Everything that the step's speed depends on: model, sizes, batch, threads, device. */
  key: string;
  /** TensorFlow's version. */
  tensorflow: string;
  /** Executors to compare; the first wins a tie. */
  candidates: readonly Executor[];
  /** Returns milliseconds per step, after its own warm-up (tracing, compiling, the slow first step). */
  measure: (executor: Executor) => Promise<number>;
  /** JSON file in the user's cache that remembers the choices. */
  cacheFile: string;
  /** Receives news for the user: a result, a failed candidate, a cache that could not be read or written. */
  notice?: (message: string) => void;
  /** The processor; default: this machine's. */
  machine?: Machine;
}

interface Machine {
  cpu: string;
  cores: number;
}

const Choice = z.object({
  cpu: z.string(),
  cores: z.number(),
  tensorflow: z.string(),
  key: z.string(),
  executor: z.enum(['graph', 'xla', 'eager']),
  /** For each candidate that ran. */
  milliseconds: z.partialRecord(z.enum(['graph', 'xla', 'eager']), z.number()),
});
type Choice = z.infer<typeof Choice>;
const Memory = z.object({ choices: z.array(Choice) });

/**
 * The fastest executor of a step on this machine. Measures the first time and then remembers the result (per processor, number of
 * cores, TensorFlow's version and `key`). A single candidate is not measured.
 * @throws UnimissError 'engine' if no candidate runs
 */
export async function chooseExecutor(options: ExecutorChoiceOptions): Promise<Executor> {
  const { key, tensorflow, candidates, cacheFile, notice = () => {}, machine = thisMachine() } = options;
  const [only, ...others] = candidates;
  if (only && others.length === 0) return only;
  const same = (c: Choice) =>
    c.cpu === machine.cpu && c.cores === machine.cores && c.tensorflow === tensorflow && c.key === key;
  const known = (await readMemory(cacheFile, notice)).find(same);
  if (known && candidates.includes(known.executor)) return known.executor;

  const measured = await measureAll(options, notice);
  const executor = fastest(measured);
  notice(
    `Fastest executor here: ${executor} (${measured.map(([name, ms]) => `${name} ${ms.toPrecision(3)} ms`).join(', ')})`,
  );
  const choice = { ...machine, tensorflow, key, executor, milliseconds: Object.fromEntries(measured) };
  // Read the file again: another process may have added measurements.
  const before = (await readMemory(cacheFile, () => {})).filter((c) => !same(c));
  await writeMemory(cacheFile, [...before, choice]).catch((error) =>
    notice(`The choice of executor could not be saved, so the next run measures again: ${messageOf(error)}`),
  );
  return executor;
}

/**
 * Milliseconds per step of each executor that was measured on this machine for a step; undefined if none was.
 * @param key as for `chooseExecutor`; measurements of any version of TensorFlow count
 */
export async function knownMilliseconds(
  key: string,
  cacheFile: string,
): Promise<Partial<Record<Executor, number>> | undefined> {
  const machine = thisMachine();
  const wanted: unknown = JSON.parse(key);
  // The fields of a configuration have another order when it was read from a run's folder.
  const same = (c: Choice) =>
    c.cpu === machine.cpu && c.cores === machine.cores && isDeepStrictEqual(parsed(c.key), wanted);
  return (await readMemory(cacheFile, () => {})).findLast(same)?.milliseconds;
}

function parsed(key: string): unknown {
  try {
    return JSON.parse(key);
  } catch {
    return undefined; // another program's
  }
}

async function measureAll(
  { key, candidates, measure }: ExecutorChoiceOptions,
  notice: (message: string) => void,
): Promise<[Executor, number][]> {
  const measured: [Executor, number][] = [];
  let failure: unknown;
  for (const executor of candidates) {
    try {
      const ms = await measure(executor);
      if (!Number.isFinite(ms) || ms < 0) throw new Error(`${ms} ms is not a duration`);
      measured.push([executor, ms]);
    } catch (error) {
      // A stop says nothing about the executor.
      if (error instanceof UnimissError && error.code === 'interrupted') throw error;
      failure = error;
      notice(`Executor ${executor} is skipped, since it cannot run this step: ${messageOf(error)}`);
    }
  }
  if (measured.length === 0)
    throw new UnimissError(
      'engine',
      `none of the executors ${candidates.join(', ')} runs the step: ${messageOf(failure)}`,
      {
        place: key,
        cause: failure,
      },
    );
  return measured;
}

function fastest(measured: readonly [Executor, number][]): Executor {
  return measured.reduce((best, next) => (next[1] < best[1] ? next : best))[0];
}

function thisMachine(): Machine {
  const all = cpus();
  return { cpu: all[0]?.model.trim() ?? 'unknown', cores: all.length };
}

async function readMemory(file: string, notice: (message: string) => void): Promise<Choice[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      notice(`Earlier measurements cannot be read, so executors are measured again: ${messageOf(error)}`);
    return [];
  }
  try {
    return Memory.parse(JSON.parse(text)).choices;
  } catch {
    notice(`${file} is damaged, so executors are measured again.`);
    return [];
  }
}

async function writeMemory(file: string, choices: readonly Choice[]): Promise<void> {
  await makeFolder(dirname(file));
  await writeTextAtomically(file, `${JSON.stringify({ choices }, null, 2)}\n`);
}

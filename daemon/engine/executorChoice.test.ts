import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnimissError } from '../../protocol/errors.ts';
import { chooseExecutor, type ExecutorChoiceOptions } from './executorChoice.ts';
import type { Executor } from './stepDefinition.ts';

let folder: string;
let cacheFile: string;
let measured: Executor[];
let notices: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'executor-'));
  cacheFile = join(folder, 'cache', 'executors.json');
  measured = [];
  notices = [];
});
afterEach(() => rm(folder, { recursive: true }));

type Times = Partial<Record<Executor, number | Error>>;
function choose(times: Times, options: Partial<ExecutorChoiceOptions> = {}): Promise<Executor> {
  return chooseExecutor({
    key: 'tiny 2D',
    tensorflow: '2.21.0',
    candidates: ['graph', 'xla'],
    cacheFile,
    machine: { cpu: 'a processor', cores: 2 },
    notice: (message) => notices.push(message),
    measure: async (executor) => {
      measured.push(executor);
      const time = times[executor];
      if (time instanceof Error) throw time;
      return time as number;
    },
    ...options,
  });
}

describe('chooseExecutor', () => {
  it('measures every candidate and takes the fastest', async () => {
    expect(await choose({ graph: 20, xla: 10 })).toBe('xla');
    expect(measured).toEqual(['graph', 'xla']);
    expect(notices).toEqual(['Fastest executor here: xla (graph 20.0 ms, xla 10.0 ms)']);
  });

  it('measures nothing where there is no choice', async () => {
    expect(await choose({ xla: 10 }, { candidates: ['xla'] })).toBe('xla');
    expect(measured).toEqual([]);
    expect(notices).toEqual([]);
  });

  it('takes the first of equals', async () => {
    expect(await choose({ graph: 10, xla: 10 })).toBe('graph');
  });

  it('remembers', async () => {
    await choose({ graph: 20, xla: 10 });
    measured = [];
    expect(await choose({ graph: 1, xla: 10 })).toBe('xla');
    expect(measured).toEqual([]);
    expect(await readdir(join(folder, 'cache'))).toEqual(['executors.json']);
  });

  it.each<[string, Partial<ExecutorChoiceOptions>]>([
    ['step', { key: 'tiny 3D' }],
    ['TensorFlow', { tensorflow: '2.22.0' }],
    ['processor', { machine: { cpu: 'another', cores: 2 } }],
    ['number of cores', { machine: { cpu: 'a processor', cores: 4 } }],
  ])('measures anew for another %s, and keeps the other choice', async (_, options) => {
    await choose({ graph: 20, xla: 10 });
    expect(await choose({ graph: 5, xla: 10 }, options)).toBe('graph');
    measured = [];
    expect(await choose({}, options)).toBe('graph');
    expect(await choose({})).toBe('xla');
    expect(measured).toEqual([]);
  });

  it('measures again if the remembered executor is no candidate', async () => {
    await choose({ graph: 20, xla: 10 });
    expect(await choose({ graph: 20 }, { candidates: ['graph'] })).toBe('graph');
    expect(JSON.parse(await readFile(cacheFile, 'utf8')).choices).toHaveLength(1);
  });

  it.each(['{"choices": [', '{"choices": [{"executor": "abacus"}]}', '[]', ''])(
    'ignores a damaged file with a notice: %s',
    async (text) => {
      await mkdir(join(folder, 'cache'));
      await writeFile(cacheFile, text);
      expect(await choose({ graph: 20, xla: 10 })).toBe('xla');
      expect(notices[0]).toBe(`${cacheFile} is damaged, so executors are measured again.`);
      measured = [];
      expect(await choose({})).toBe('xla');
      expect(measured).toEqual([]);
    },
  );

  it('continues when the choice cannot be saved', async () => {
    await writeFile(join(folder, 'cache'), 'a file where the folder should be');
    expect(await choose({ graph: 20, xla: 10 })).toBe('xla');
    expect(notices.at(-1)).toMatch(/could not be saved, so the next run measures again: /);
  });

  it.each<[string, number | Error]>([
    ['fails', new Error('no such kernel')],
    ['gives no duration', Number.NaN],
  ])('leaves out a candidate that %s', async (_, result) => {
    expect(await choose({ graph: 20, xla: result })).toBe('graph');
    expect(notices[0]).toMatch(/^Executor xla is skipped/);
  });

  it('fails when none runs', async () => {
    const failing = choose({ graph: new Error('one'), xla: new Error('two') });
    await expect(failing).rejects.toMatchObject({ code: 'engine' });
    await expect(failing).rejects.toThrow('none of the executors graph, xla runs the step: two');
    await expect(readFile(cacheFile)).rejects.toThrow('ENOENT');
  });

  it('stops when it is interrupted', async () => {
    const interrupted = new UnimissError('interrupted', 'Stopped by Ctrl-C');
    await expect(choose({ graph: interrupted, xla: 1 })).rejects.toBe(interrupted);
    expect(measured).toEqual(['graph']);
  });

  it('keeps what other processes measured meanwhile', async () => {
    const meanwhile = () => choose({ graph: 2, xla: 1 }, { key: 'other' });
    await choose({}, { measure: async (executor) => ((await meanwhile()) && executor === 'graph' ? 1 : 2) });
    measured = [];
    expect(await choose({})).toBe('graph');
    expect(await meanwhile()).toBe('xla');
    expect(measured).toEqual([]);
  });
});

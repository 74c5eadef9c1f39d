import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { requireEngine } from '../../daemon/engine/install/index.ts';
import { RunFolder } from '../../daemon/runs/folder/runFolder.ts';
import { tasks } from '../../daemon/runs/start/tasks.ts';
import { trainerOf } from '../../daemon/runs/start/trainRun.ts';
import { TrainingControl } from '../../daemon/train/control.ts';
import { resolveConfig } from '../../protocol/config/index.ts';
import { parseConfig } from '../../protocol/config/parseConfig.ts';
import type { RunRecord } from '../../protocol/records/records.ts';
import { fewPhantoms, recordsOf, smallConfig } from './trainer.ts';

/** `engine.executor: auto`, with a cache of its own; TensorFlow is named, as it may lie in the other one. Long for XLA's compiler. */

const folder = mkdtempSync(join(tmpdir(), 'unimiss-auto-'));
const memory = join(folder, 'cache', 'executors.json');
let text: string;
beforeAll(async () => {
  vi.stubEnv('UNIMISS_TENSORFLOW', (await requireEngine({ device: 'cpu' })).folder);
  const manifest = await fewPhantoms(join(folder, 'phantoms'));
  vi.stubEnv('UNIMISS_CACHE', join(folder, 'cache'));
  text = JSON.stringify(
    smallConfig(manifest, (c) => {
      c.data = { manifest, workers: 0, modalities: '2D' };
      c.train = { ...c.train, epochs: 2 };
      c.engine = { ...c.engine, executor: 'auto' };
      c.records = { previews: false };
    }),
  );
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const newRun = () =>
  RunFolder.create(join(folder, 'runs'), text, resolveConfig(parseConfig(text, 'test'), { baseDir: folder }));

/** Trains a run until it is finished, or until it has recorded so many steps (0: until it has begun). @returns what it recorded this time */
async function train(run: RunFolder, steps = Number.POSITIVE_INFINITY): Promise<RunRecord[]> {
  let done = 0;
  const control = new TrainingControl();
  const records: RunRecord[] = [];
  await trainerOf(tasks)(run, control, {
    onRecord: (record) => {
      records.push(record);
      if (record.kind === 'step') done++;
      const begun = done > 0 || (record.kind === 'event' && record.event === 'start');
      if (begun && done >= steps) control.stop({ by: 'client' });
    },
  });
  return records;
}

const noticesIn = (records: readonly RunRecord[]) =>
  records.flatMap((r) => (r.kind === 'event' && r.event === 'notice' ? [r.message] : []));
const executorOf = async (run: RunFolder) => (await run.versions())?.executors['2D'];

test('auto measures once a machine and step; a run keeps the choice that it began with', async () => {
  const first = await newRun();
  expect(noticesIn(await train(first, 2))).toEqual([
    expect.stringMatching(/^Fastest executor here: (graph|xla) \((graph|xla) [\d.e+]+ ms, (graph|xla) [\d.e+]+ ms\)$/),
  ]);
  const { choices } = JSON.parse(readFileSync(memory, 'utf8'));
  expect(choices).toHaveLength(1);
  const [choice] = choices;
  expect(Object.keys(choice.milliseconds).sort()).toEqual(['graph', 'xla']);
  expect(JSON.parse(choice.key)).toMatchObject({ phase: '2D', batch: 2, threads: { interOp: 2, intraOp: 2 } });
  expect(await executorOf(first)).toBe(choice.executor);

  // What is remembered decides for a new run, without a measurement …
  const other = choice.executor === 'graph' ? 'xla' : 'graph';
  writeFileSync(memory, JSON.stringify({ choices: [{ ...choice, executor: other }] }));
  const second = await newRun();
  expect(noticesIn(await train(second, 0))).toEqual([]);
  expect(await executorOf(second)).toBe(other);

  // … and not for one that has begun.
  expect(noticesIn(await train(first))).toEqual([]);
  expect(await executorOf(first)).toBe(choice.executor);
  expect(recordsOf(first.folder).at(-1)).toMatchObject({ kind: 'event', event: 'finish' });
});

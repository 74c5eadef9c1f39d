import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { toyTask } from '../../../test/daemon/toyTask.ts';
import { TrainingControl } from '../../train/control.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { kindsOf, type Task } from './task.ts';
import { trainerOf } from './trainRun.ts';

const root = mkdtempSync(join(tmpdir(), 'unimiss-train-'));
afterAll(() => rmSync(root, { recursive: true }));

const kinds = kindsOf([toyTask]);
function createRun(name: string): Promise<RunFolder> {
  const text = JSON.stringify({ task: 'toy', name, epochs: 3, stepsPerEpoch: 4, checkpoint: { everyEpochs: 1 } });
  const config = resolveConfig(parseConfig(text, 'test', { kinds }), { baseDir: root }, kinds);
  return RunFolder.create(root, text, config, new Date(), kinds);
}
const eventsOf = (run: RunFolder) =>
  readFileSync(run.recordsFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === 'event')
    .map(({ event, message }) => [event, message] as const);
const stepsOf = (run: RunFolder) => readFileSync(run.recordsFile, 'utf8').match(/"kind":"step"/g)?.length ?? 0;

test('work behind a training that is stopped is done by the resume, and only then the run is finished', async () => {
  const run = await createRun('followed');
  const control = new TrainingControl();
  const calls: boolean[] = [];
  const train = trainerOf([toyTask], async (_, { notice, stopRequested }) => {
    if (calls.push(stopRequested()) === 1) {
      control.stop({ by: 'client' });
      return !stopRequested();
    }
    notice('decided');
    return true;
  });
  expect(await train(run, control)).toBe('stopped');
  expect(eventsOf(run).map(([event]) => event)).not.toContain('finish');
  expect(await train(run, new TrainingControl())).toBe('finished');
  expect(calls).toEqual([false, false]);
  expect(stepsOf(run)).toBe(12); // no step is done twice
  expect(eventsOf(run).slice(-2)).toEqual([
    ['notice', 'decided'],
    ['finish', 'Finished after 12 steps'],
  ]);
});

test('a run that ended early, and was interrupted before it was recorded as finished, trains no further step', async () => {
  const run = await createRun('early');
  // Ends after its second epoch, as its state says: so also where it is opened again.
  let steps = 0;
  const early: Task = {
    ...toyTask,
    async open(config, on) {
      const training = await toyTask.open(config as Parameters<typeof toyTask.open>[0], on);
      const enough = () => (steps >= 8 ? 'it was enough' : undefined);
      return {
        ...training,
        enough,
        step: (at, batch) => {
          steps++;
          return training.step(at, batch);
        },
        endEpoch: async (epoch) => {
          const why = enough();
          return { ...(await training.endEpoch(epoch)), ...(why !== undefined && { enough: why }) };
        },
      };
    },
  };
  const interrupted = trainerOf([early], async () => {
    throw new Error('as a kill');
  });
  await expect(interrupted(run, new TrainingControl())).rejects.toThrow('as a kill');
  expect(stepsOf(run)).toBe(8);
  expect(await trainerOf([early])(run, new TrainingControl())).toBe('finished');
  expect(stepsOf(run)).toBe(8);
  expect(eventsOf(run).at(-1)).toEqual(['finish', 'Finished after 8 steps: it was enough']);
});

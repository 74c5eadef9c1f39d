import { resolveConfig, type SharedConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { type EmbedTask, embed } from '../../../protocol/jobs/embedMessages.ts';
import { evaluate, evaluateTaskSchema } from '../../../protocol/jobs/evaluateMessages.ts';
import { runCreate } from '../../../protocol/runs/messages.ts';
import type { DaemonConnection } from '../../client/daemonConnection.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { embedImages } from '../../runs/jobs/embedImages.ts';
import { evaluateRun } from '../../runs/jobs/evaluate/evaluateRun.ts';
import { seriesFor } from '../../runs/start/task.ts';
import { tasks } from '../../runs/start/tasks.ts';
import type { Reporter } from '../terminal/reporter.ts';
import { withProgress } from '../viaDaemon/progress.ts';
import { trainByDaemon } from '../viaDaemon/trainByDaemon.ts';
import { trainHere } from '../viaDaemon/trainHere.ts';

/** What an experiment does with its runs, through the daemon or in this process. */
export interface CompareSteps {
  /** Makes an ordinary run. @returns its folder */
  create(config: SharedConfig, root: string): Promise<string>;
  /** Trains a run to its end, or resumes it. */
  train(folder: string): Promise<'finished' | 'stopped'>;
  /** Writes `features-2D.npy`, `features-3D.npy` and their tables into a folder. */
  embed(folder: string, how: EmbedHow): Promise<void>;
  /** Writes `evaluation.json` of a fine-tuned network on its test cases into a folder. */
  evaluate(folder: string, checkpoint: 'last' | 'best', out: string): Promise<void>;
}

/** Which features of which images, and the folder for them. */
export type EmbedHow = Required<Pick<EmbedTask, 'manifest' | 'weights' | 'features' | 'out'>>;

/**
 * What both ways measure: nothing is compared here, and no distances between surfaces, which take most of the time of an evaluation
 * where a network with few labels scatters its classes. Dice is the same in both conventions.
 */
const testing = (run: string, checkpoint: 'last' | 'best', out: string) =>
  ({ run, split: 'test', against: null, checkpoint, out, convention: 'nnunet' }) as const;

export function compareByDaemon(client: DaemonConnection, reporter: Reporter): CompareSteps {
  return {
    create: async (config, root) => {
      const from = { config: JSON.stringify(config, null, 2), file: '/experiment' };
      return (await client.call(runCreate, { from, root, start: false })).folder;
    },
    train: async (folder) => {
      const series = seriesFor(await RunFolder.open(folder), tasks);
      const outcome = await trainByDaemon(client, { folder }, reporter, series);
      return outcome === 'finished' ? outcome : 'stopped';
    },
    async embed(run, how) {
      await withProgress(client, reporter, (workDoneToken, cancel) =>
        client.call(embed, { run, ...how, workDoneToken }, cancel),
      );
    },
    async evaluate(run, checkpoint, out) {
      await withProgress(client, reporter, (workDoneToken, cancel) =>
        client.call(evaluate, { ...testing(run, checkpoint, out), workDoneToken }, cancel),
      );
    },
  };
}

export function compareHere(reporter: Reporter): CompareSteps {
  const onProgress = (what: string, done: number, total: number) =>
    reporter.progress(`${what} ${done} of ${total}`, done === total);
  return {
    create: async (config, root) => {
      const text = JSON.stringify(config, null, 2);
      const resolved = resolveConfig(parseConfig(text, 'experiment'), { baseDir: '/' });
      return (await RunFolder.create(root, text, resolved)).folder;
    },
    train: async (folder) => trainHere(await RunFolder.open(folder), reporter, tasks),
    async embed(folder, how) {
      await embedImages(await RunFolder.open(folder), { network: 'teacher', ...how }, onProgress);
    },
    async evaluate(folder, checkpoint, out) {
      const task = evaluateTaskSchema.parse(testing(folder, checkpoint, out));
      await evaluateRun(await RunFolder.open(folder), task, onProgress);
    },
  };
}

import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { engineInfoRequest, engineInstall } from '../../../protocol/daemon/engineMessages.ts';
import { type EmbedResult, type EmbedTask, embed } from '../../../protocol/jobs/embedMessages.ts';
import { type EvaluateResult, evaluate, evaluateTaskSchema } from '../../../protocol/jobs/evaluateMessages.ts';
import { runCreate } from '../../../protocol/runs/messages.ts';
import type { DaemonConnection } from '../../client/daemonConnection.ts';
import { findEngine, installEngine } from '../../engine/install/index.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { embedImages } from '../../runs/jobs/embedImages.ts';
import { evaluateRun } from '../../runs/jobs/evaluate/evaluateRun.ts';
import { seriesFor } from '../../runs/start/task.ts';
import { tasks } from '../../runs/start/tasks.ts';
import { interruptedInstallation, progressText } from '../commands/engine.ts';
import type { Reporter } from '../terminal/reporter.ts';
import { withProgress } from '../viaDaemon/progress.ts';
import { trainByDaemon } from '../viaDaemon/trainByDaemon.ts';
import { trainHere } from '../viaDaemon/trainHere.ts';

/** Which weights' features, of which images (default: the run's), and the folder for them. */
export type DemoEmbed = Required<Pick<EmbedTask, 'weights' | 'out'>> & Pick<EmbedTask, 'manifest'>;

/** The steps of the demo, through the daemon or in this process. Configurations are complete: all paths are absolute. */
export interface DemoSteps {
  haveEngine(): Promise<void>;
  create(config: string, root: string): Promise<string>;
  /** Trains the run in a folder, with progress. */
  train(folder: string): Promise<'finished' | 'stopped'>;
  /** Measures how well the classes of labelled images separate in what fine-tuning reads, before or after training. */
  embed(folder: string, how: DemoEmbed): Promise<EmbedResult>;
  /** Measures a fine-tuned network, as it ended, on its test cases. @param against folder of a run to compare with; null: none */
  evaluate(folder: string, against: string | null): Promise<EvaluateResult>;
}

export function stepsByDaemon(client: DaemonConnection, reporter: Reporter): DemoSteps {
  return {
    async haveEngine() {
      if ((await client.call(engineInfoRequest, {})).ready) return;
      await withProgress(client, reporter, (workDoneToken, cancel) =>
        client.call(engineInstall, { workDoneToken }, cancel),
      );
    },
    create: async (config, root) =>
      (await client.call(runCreate, { from: { config, file: '/demo' }, root, start: false })).folder,
    train: async (folder) => {
      const series = seriesFor(await RunFolder.open(folder), tasks);
      const outcome = await trainByDaemon(client, { folder }, reporter, series);
      return outcome === 'finished' ? outcome : 'stopped';
    },
    embed: (run, how) =>
      withProgress(client, reporter, (workDoneToken, cancel) =>
        client.call(embed, { run, ...how, features: 'encoder', workDoneToken }, cancel),
      ),
    evaluate: (run, against) =>
      withProgress(client, reporter, (workDoneToken, cancel) =>
        client.call(evaluate, { run, against, checkpoint: 'last', workDoneToken }, cancel),
      ),
  };
}

export function stepsHere(reporter: Reporter): DemoSteps {
  return {
    async haveEngine() {
      if (await findEngine()) return;
      const onProgress = (p: Parameters<typeof progressText>[0]) =>
        reporter.progress(progressText(p), p.stage === 'done');
      await installEngine({ signal: interruptedInstallation(), onProgress });
    },
    create: async (text, root) =>
      (await RunFolder.create(root, text, resolveConfig(parseConfig(text, 'demo'), { baseDir: '/' }))).folder,
    train: async (folder) => trainHere(await RunFolder.open(folder), reporter, tasks),
    embed: async (folder, how) =>
      embedImages(
        await RunFolder.open(folder),
        { network: 'teacher', features: 'encoder', ...how },
        (what, done, total) => reporter.progress(`${what} ${done} of ${total}`, done === total),
      ),
    evaluate: async (folder, against) =>
      evaluateRun(
        await RunFolder.open(folder),
        evaluateTaskSchema.parse({ run: folder, against, checkpoint: 'last' }),
        (what, done, total) => reporter.progress(`${what} (${done} of ${total})`, done === total),
      ),
  };
}

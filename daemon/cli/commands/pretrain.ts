import { Command } from 'commander';
import { runNameOf } from '../../../protocol/config/makeConfig.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { RunSummary } from '../../../protocol/records/records.ts';
import { runContinue, runGet, runStart, runsList } from '../../../protocol/runs/messages.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { listRuns, runState } from '../../runs/records/list.ts';
import { kindsOf, seriesFor, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { isFinished } from '../../runs/supervise/errors.ts';
import { Reporter } from '../terminal/reporter.ts';
import { askedRoot, foregroundOption, runReference, throughDaemon } from '../viaDaemon/connection.ts';
import { findRun } from '../viaDaemon/findRun.ts';
import { trainByDaemon } from '../viaDaemon/trainByDaemon.ts';
import { trainHere } from '../viaDaemon/trainHere.ts';
import {
  begun,
  detached,
  prepared,
  readConfig,
  startRuns,
  type TrainingOptions,
  trainingCommand,
  trainingHelp,
} from './startRuns.ts';

/** `unimiss pretrain CONFIG | FOLDER` */
export function pretrainCommand(tasks: readonly Task[] = productTasks): Command {
  return trainingCommand('pretrain')
    .description('Pre-train MiT on 2D and 3D images, from a configuration file or a folder of images.')
    .argument('<config>', 'a *.unimiss.jsonc file, or a folder of images (then everything else has its default)')
    .addHelpText(
      'after',
      `
Examples:
  unimiss pretrain my.unimiss.jsonc
  unimiss pretrain ~/images --set model.preset=small --set train.batch.3D=4
${trainingHelp}`,
    )
    .action(async (path: string, options: TrainingOptions, command: Command) => {
      const reporter = Reporter.of(command);
      const given = await readConfig(path, (folder) => ({ name: runNameOf([folder]), data: { paths: [folder] } }));
      const wanted = prepared(given, options.set, { tasks, reporter, refused: 'finetune' });
      await startRuns([wanted], options, { tasks, reporter });
    });
}

/** `unimiss resume [RUN]` */
export function resumeCommand(tasks: readonly Task[] = productTasks): Command {
  const kinds = kindsOf(tasks);
  return new Command('resume')
    .description(
      'Resume a run from its last good checkpoint. On the CPU, the result is bit for bit that of an uninterrupted run.',
    )
    .argument('[run]', 'name or folder of the run (default: the newest unfinished one)')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .option('-d, --detach', 'start it, or put it into the queue, and return')
    .addOption(foregroundOption().conflicts('detach'))
    .action(
      async (
        name: string | undefined,
        options: Pick<TrainingOptions, 'runs' | 'detach' | 'foreground'>,
        command: Command,
      ) => {
        const reporter = Reporter.of(command);
        const root = askedRoot(options.runs);
        if (options.foreground) {
          const folder = name
            ? (await findRun(root ?? runsRoot(), name, kinds)).folder
            : newestUnfinished(await listRuns(root ?? runsRoot(), kinds));
          const run = await RunFolder.open(folder, kinds);
          if ((await runState(run)) === 'finished') throw isFinished(run.id);
          return begun(run.folder, reporter, () => trainHere(run, reporter, tasks));
        }
        await throughDaemon(reporter, async (client) => {
          const ref = name
            ? runReference(name, root)
            : newestUnfinished(await client.call(runsList, { ...(root && { root }) }));
          const run = await client.call(runGet, { run: ref });
          if (options.detach)
            return detached(
              await client.call(run.activity === 'paused' ? runContinue : runStart, { run: ref }),
              reporter,
            );
          await begun(run.folder, reporter, () => trainByDaemon(client, run, reporter, seriesFor(run, tasks)));
        });
      },
    );
}

/** The folder of the newest run that can continue. @throws UnimissError 'run' if there is none */
function newestUnfinished({ runs }: { runs: readonly (RunSummary & Partial<Pick<RunInfo, 'activity'>>)[] }): string {
  const candidate = runs.find(
    (run) => run.activity === 'paused' || (run.state !== 'finished' && run.state !== 'running' && !run.activity),
  );
  if (candidate) return candidate.folder;
  throw new UnimissError('run', 'no run to resume', {
    remedy:
      runs.length > 0
        ? 'All runs are finished, running or queued. "unimiss runs" lists them.'
        : 'Start one with "unimiss pretrain".',
  });
}

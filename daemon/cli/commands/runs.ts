import { Command } from 'commander';
import { modalities } from '../../../protocol/modality.ts';
import type { RunSummary } from '../../../protocol/records/records.ts';
import { runsList } from '../../../protocol/runs/messages.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import { listRuns } from '../../runs/records/list.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';
import { table } from '../terminal/table.ts';
import { askedRoot, foregroundOption, throughDaemon } from '../viaDaemon/connection.ts';

type Listed = RunSummary & Partial<Pick<RunInfo, 'activity' | 'queue'>>;

/** `unimiss runs` */
export function runsCommand(tasks: readonly Task[] = productTasks): Command {
  return new Command('runs')
    .description('List runs with their state and progress.')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .addOption(foregroundOption())
    .action(async (options: { runs?: string; foreground?: boolean }, command: Command) => {
      const reporter = Reporter.of(command);
      const asked = askedRoot(options.runs);
      const { root, runs, problems } = options.foreground
        ? { root: asked ?? runsRoot(), ...(await listRuns(asked ?? runsRoot(), kindsOf(tasks))) }
        : await throughDaemon(reporter, (client) => client.call(runsList, { ...(asked && { root: asked }) }));
      for (const run of runs) reporter.record(run);
      if (runs.length === 0) reporter.line(`No runs in ${root}. Start one with "unimiss pretrain".`);
      else
        reporter.line(
          table(
            ['run', 'state', 'model', 'epoch', 'step', 'loss', 'updated'],
            runs.map((run: Listed) => [
              run.id,
              stateOf(run),
              run.preset,
              run.epoch === null ? '-' : `${run.epoch + 1}/${run.epochs}`,
              run.step === null ? '-' : String(run.step + 1),
              lossOf(run),
              run.updated.slice(0, 16).replace('T', ' '),
            ]),
          ),
        );
      for (const { folder, message } of problems) reporter.notice(`Skipped ${folder}: ${message}`);
    });
}

/** The latest loss of each modality: `5.710 2D, 24.940 3D`. */
function lossOf({ loss, losses }: Listed): string {
  const each = modalities.flatMap((modality) => {
    const value = losses[modality];
    return value === undefined ? [] : [`${value.toFixed(3)} ${modality}`];
  });
  return each.join(', ') || (loss?.toFixed(3) ?? '-');
}

/** The daemon's activity, if any, is more precise than the state on the disk. */
function stateOf({ state, activity, queue }: Listed): string {
  return activity === 'queued' ? `queued (${queue})` : (activity ?? state);
}

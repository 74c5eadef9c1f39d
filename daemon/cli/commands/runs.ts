import { Command, Option } from 'commander';
import { modalities } from '../../../protocol/modality.ts';
import { type RunSummary, runStates } from '../../../protocol/records/records.ts';
import { runsList } from '../../../protocol/runs/messages.ts';
import { activities, type RunInfo } from '../../../protocol/runs/runInfo.ts';
import { dateText, roughDuration, thousands } from '../../../protocol/words.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import { listRuns } from '../../runs/records/list.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';
import { table } from '../terminal/table.ts';
import { askedRoot, foregroundOption, throughDaemon } from '../viaDaemon/connection.ts';

type Listed = RunSummary & Partial<Pick<RunInfo, 'activity' | 'queue' | 'progress'>>;

/** What `--state` accepts: states on the disk, and what the daemon is doing. */
const states = [...new Set([...runStates, ...activities])];

const orders = {
  created: (a: Listed, b: Listed) => b.created.localeCompare(a.created),
  updated: (a: Listed, b: Listed) => b.updated.localeCompare(a.updated),
  name: (a: Listed, b: Listed) => a.id.localeCompare(b.id),
  left: (a: Listed, b: Listed) => (left(a) === left(b) ? 0 : left(a) - left(b)),
} as const;
type Order = keyof typeof orders;

/** `unimiss runs` */
export function runsCommand(tasks: readonly Task[] = productTasks): Command {
  return new Command('runs')
    .description('List runs with their state, progress and time left.')
    .addOption(new Option('--state <states...>', 'only runs in one of these states').choices(states))
    .addOption(
      new Option('--sort <order>', 'newest first, last update first, by name, or by time left')
        .choices(Object.keys(orders))
        .default('created'),
    )
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .addOption(foregroundOption())
    .action(
      async (options: { runs?: string; foreground?: boolean; state?: string[]; sort: Order }, command: Command) => {
        const reporter = Reporter.of(command);
        const asked = askedRoot(options.runs);
        const {
          root,
          runs: all,
          problems,
        } = options.foreground
          ? { root: asked ?? runsRoot(), ...(await listRuns(asked ?? runsRoot(), kindsOf(tasks))) }
          : await throughDaemon(reporter, (client) => client.call(runsList, { ...(asked && { root: asked }) }));
        const runs: Listed[] = all
          .filter((run: Listed) => !options.state || options.state.includes(run.activity ?? run.state))
          .toSorted(orders[options.sort]);
        for (const run of runs) reporter.record(run);
        if (runs.length === 0 && all.length > 0) reporter.line(`No run in ${root} is ${options.state?.join(' or ')}.`);
        else if (runs.length === 0) reporter.line(`No runs in ${root}. Start one with "unimiss pretrain".`);
        else
          reporter.line(
            table(
              ['run', 'state', 'model', 'epoch', 'step', 'loss', 'left', 'updated'],
              runs.map((run: Listed) => [
                run.id,
                stateOf(run),
                run.preset,
                run.epoch === null ? '-' : `${thousands(run.epoch + 1)}/${thousands(run.epochs)}`,
                run.step === null ? '-' : thousands(run.step + 1),
                lossOf(run),
                Number.isFinite(left(run)) ? roughDuration(left(run)) : '-',
                dateText(run.updated),
              ]),
            ),
          );
        for (const { folder, message } of problems) reporter.notice(`Skipped ${folder}: ${message}`);
      },
    );
}

/** Seconds that a run still trains; infinite if it does not, or if that is not known yet. */
function left({ activity, progress }: Listed): number {
  return activity ? (progress?.secondsLeft ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
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

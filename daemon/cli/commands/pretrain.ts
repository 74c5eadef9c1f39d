import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import type { RunSummary } from '../../../protocol/records/records.ts';
import { runContinue, runCreate, runGet, runStart, runsList } from '../../../protocol/runs/messages.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { listRuns, runState } from '../../runs/records/list.ts';
import { checkRunnable } from '../../runs/start/checkRunnable.ts';
import { kindsOf, seriesFor, type Task, taskOf } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { isFinished } from '../../runs/supervise/errors.ts';
import { Reporter } from '../terminal/reporter.ts';
import { endStopped } from '../terminal/runDisplay.ts';
import { askedRoot, foregroundOption, runReference, throughDaemon } from '../viaDaemon/connection.ts';
import { findRun } from '../viaDaemon/findRun.ts';
import { trainByDaemon } from '../viaDaemon/trainByDaemon.ts';
import { trainHere } from '../viaDaemon/trainHere.ts';
import { applySetting } from './applySetting.ts';

const collect = (value: string, before: string[] = []) => [...before, value];

interface PretrainOptions {
  set?: string[];
  runs?: string;
  dryRun?: boolean;
  detach?: boolean;
  foreground?: boolean;
}

/** `unimiss pretrain CONFIG | FOLDER` */
export function pretrainCommand(tasks: readonly Task[] = productTasks): Command {
  const kinds = kindsOf(tasks);
  return new Command('pretrain')
    .description('Pre-train MiT on 2D and 3D images, from a configuration file or a folder of images.')
    .argument('<config>', 'a *.unimiss.jsonc file, or a folder of images (then everything else has its default)')
    .option(
      '--set <key=value>',
      'override one value of the configuration, for example train.epochs=20 (repeatable)',
      collect,
    )
    .option('--runs <folder>', 'folder for runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .option(
      '--dry-run',
      'check the configuration and that its images exist, print the resolved configuration, do not train',
    )
    .option('-d, --detach', 'start it, or put it into the queue, and return')
    .addOption(foregroundOption().conflicts('detach'))
    .addHelpText(
      'after',
      `
Examples:
  unimiss pretrain my.unimiss.jsonc
  unimiss pretrain ~/images --set model.preset=small --set train.batch.3D=4
The daemon trains the run, and the editor shows it too. On Ctrl-C the run finishes its current step, saves a checkpoint and
stops; "unimiss resume" continues it. Closing the terminal does not stop it: use "unimiss logs -f" and "unimiss stop" then.`,
    )
    .action(async (path: string, options: PretrainOptions, command: Command) => {
      const reporter = Reporter.of(command);
      const { text, file } = await readConfig(path);
      const given = (options.set ?? []).reduce(applySetting, text);
      const parsed = parseConfig(given, file, { kinds, notice: (message) => reporter.notice(message) });
      const config = resolveConfig(parsed, { baseDir: dirname(file) }, kinds);
      if (options.dryRun) {
        await taskOf(config, tasks).check(config);
        process.stdout.write(`${JSON.stringify(config, null, 2)}\n`);
        return;
      }
      if (options.foreground) {
        const root = askedRoot(options.runs) ?? runsRoot();
        await checkRunnable(config, root, tasks);
        const run = await RunFolder.create(root, given, config, new Date(), kinds);
        return begun(run.folder, reporter, () => trainHere(run, reporter, tasks));
      }
      await throughDaemon(reporter, async (client) => {
        const root = askedRoot(options.runs);
        const from = { config: given, file };
        const run = await client.call(runCreate, { from, ...(root && { root }), start: options.detach === true });
        if (options.detach) return detached(run, reporter);
        await begun(run.folder, reporter, () => trainByDaemon(client, run, reporter, seriesFor(run, tasks)));
      });
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
        options: Pick<PretrainOptions, 'runs' | 'detach' | 'foreground'>,
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

/** Trains, and reports the folder of the run and how it ended. */
async function begun(folder: string, reporter: Reporter, train: () => Promise<'finished' | 'stopped'>): Promise<void> {
  reporter.notice(`Run folder: ${folder}`);
  const id = basename(folder);
  if ((await train()) === 'finished') return reporter.notice(`Finished. Show the results with:  unimiss metrics ${id}`);
  endStopped(id, reporter);
}

function detached(run: RunInfo, reporter: Reporter): void {
  reporter.record(run);
  reporter.line(
    run.activity === 'queued'
      ? `${run.id} waits for ${run.devices.join(' and ')}, at position ${run.queue} in the queue.`
      : `The daemon is training ${run.id}.`,
  );
  reporter.line(
    `  unimiss logs -f ${run.id}   follow its log\n  unimiss stop ${run.id}      save a checkpoint and stop`,
  );
}

/** The text of a configuration; a folder of images stands for the configuration that only names it. */
async function readConfig(path: string): Promise<{ text: string; file: string }> {
  const file = resolve(path);
  const found = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    throw new UnimissError('config', cause.code === 'ENOENT' ? 'no such file or folder' : messageOf(cause), {
      place: file,
      remedy: 'Run "unimiss init FOLDER > my.unimiss.jsonc" to create a configuration.',
      cause,
    });
  });
  if (found.isDirectory())
    return { text: `${JSON.stringify({ data: { paths: [file] } }, null, 2)}\n`, file: resolve(file, 'command line') };
  if (found.size > 1 << 20)
    throw new UnimissError('config', 'the file is too large for a configuration (over 1 MiB)', {
      place: file,
      remedy: 'Name a *.unimiss.jsonc file or a folder.',
    });
  return { text: await readFile(file, 'utf8'), file };
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

import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { type ResolvedConfig, resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { runCreate } from '../../../protocol/runs/messages.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { checkRunnable } from '../../runs/start/checkRunnable.ts';
import { kindsOf, seriesFor, type Task } from '../../runs/start/task.ts';
import type { Reporter } from '../terminal/reporter.ts';
import { endStopped } from '../terminal/runDisplay.ts';
import { askedRoot, foregroundOption, throughDaemon } from '../viaDaemon/connection.ts';
import { trainByDaemon } from '../viaDaemon/trainByDaemon.ts';
import { trainHere } from '../viaDaemon/trainHere.ts';
import { travelled } from '../viaDaemon/travelled.ts';
import { applySetting, settingOf } from './applySetting.ts';
import { showForecast } from './forecast.ts';

/** What the commands that begin runs share: options, and how a run begins from a configuration. */

export interface TrainingOptions {
  set?: string[];
  runs?: string;
  dryRun?: boolean;
  detach?: boolean;
  foreground?: boolean;
}

const collect = (value: string, before: string[] = []) => [...before, value];

export function trainingCommand(name: string): Command {
  return new Command(name)
    .option(
      '--set <key=value>',
      'override one value of the configuration, for example train.epochs=20 (repeatable)',
      collect,
    )
    .option('--runs <folder>', 'folder for runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .option(
      '--dry-run',
      'only say what the run would do: images, steps, time, memory, and what looks wrong (with --json also the resolved configuration)',
    )
    .option('-d, --detach', 'start it, or put it into the queue, and return')
    .addOption(foregroundOption().conflicts('detach'));
}

export const trainingHelp = `
The daemon trains the run, and the editor shows it too. On Ctrl-C the run
finishes its current step, saves a checkpoint and stops; "unimiss resume"
continues it. Closing the terminal does not stop it: use "unimiss logs -f" and
"unimiss stop" then.`;

/** The text of a configuration, and the file in whose folder relative paths start. */
export interface ConfigText {
  readonly text: string;
  readonly file: string;
  /** The text does not stand in the file: it was made for a folder. */
  readonly made?: boolean;
}

/** A configuration that was checked. */
export interface Prepared extends ConfigText {
  readonly config: ResolvedConfig;
}

export interface Surroundings {
  readonly tasks: readonly Task[];
  readonly reporter: Reporter;
}

/**
 * Applies settings to a configuration and checks it.
 * @param refused the kind of run that has a command of its own
 * @throws UnimissError 'config'
 */
export function prepared(
  { text, file, made }: ConfigText,
  settings: readonly string[] = [],
  { tasks, reporter, refused, only }: Surroundings & { readonly refused?: string; readonly only?: string },
): Prepared {
  const kinds = kindsOf(tasks);
  const given = settings.reduce(applySetting, text);
  const parsed = parseConfig<{ task: string }>(given, file, {
    kinds,
    notice: (message) => reporter.notice(message),
    placeOf: ({ field }) => settingOf(field, settings) ?? (made ? 'command line' : undefined),
  });
  const { task } = parsed;
  if (task === refused || (only !== undefined && task !== only))
    throw new UnimissError('config', `this is a configuration of the kind "${task}"`, {
      place: file,
      remedy: `Use \`unimiss ${task}\`.`,
    });
  return { text: given, file, config: resolveConfig(parsed, { baseDir: dirname(file) }, kinds) };
}

/** A configuration that is begun when the run before has its name. */
export type Follower = (before: { readonly id: string }) => Prepared;

/** Begins a run as the options say, and one that follows it into the queue. */
export async function startRuns(
  [first, follower]: readonly [Prepared, Follower?],
  options: TrainingOptions,
  { tasks, reporter }: Surroundings,
): Promise<void> {
  const kinds = kindsOf(tasks);
  if (options.dryRun) {
    const root = askedRoot(options.runs) ?? runsRoot();
    return showForecast(first, { root, tasks, reporter });
  }
  if (options.foreground) {
    const root = askedRoot(options.runs) ?? runsRoot();
    const here = async ({ text, config }: Prepared): Promise<RunFolder> => {
      await checkRunnable(config, root, tasks);
      const run = await RunFolder.create(root, text, config, new Date(), kinds);
      await begun(run.folder, reporter, () => trainHere(run, reporter, tasks));
      return run;
    };
    const run = await here(first);
    if (follower) await here(follower(run));
    return;
  }
  await throughDaemon(reporter, async (client) => {
    const root = askedRoot(options.runs);
    const create = ({ text, file }: Prepared, start: boolean) =>
      client.call(runCreate, { from: { config: text, file }, ...(root && { root }), start });
    const run = await create(first, options.detach === true);
    const follow = async () => {
      if (follower) detached(await create(follower(run), true), reporter);
    };
    if (options.detach) {
      detached(run, reporter);
      return follow();
    }
    await begun(run.folder, reporter, () => trainByDaemon(client, run, reporter, seriesFor(run, tasks), follow));
  });
}

/** Trains, and reports the folder of the run and how it ended. */
export async function begun(
  folder: string,
  reporter: Reporter,
  train: () => Promise<'finished' | 'stopped' | 'dequeued'>,
): Promise<void> {
  reporter.notice(`Run folder: ${folder}`);
  const id = basename(folder);
  const outcome = await train();
  if (outcome === 'finished') return reporter.notice(`Finished. Show the results with:  unimiss metrics ${id}`);
  endStopped(id, reporter, outcome === 'dequeued');
}

export function detached(run: RunInfo, reporter: Reporter): void {
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

/**
 * The text of a configuration; a folder stands for the configuration that only names it.
 * @param ofFolder absent: a folder is refused
 * @throws UnimissError 'config' where there is none
 */
export async function readConfig(path: string, ofFolder?: (folder: string) => object): Promise<ConfigText> {
  const text = travelled.get(path);
  // Its relative paths start where runs are, usually in the user's home.
  if (text !== undefined) return { text, file: join(dirname(runsRoot()), basename(path.replaceAll('\\', '/'))) };
  const file = resolve(path);
  const found = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    throw new UnimissError('config', cause.code === 'ENOENT' ? 'no such file or folder' : messageOf(cause), {
      place: file,
      remedy: 'Run "unimiss init FOLDER > my.unimiss.jsonc" to create a configuration.',
      cause,
    });
  });
  if (found.isDirectory() && ofFolder)
    return { text: `${JSON.stringify(ofFolder(file), null, 2)}\n`, file: resolve(file, 'command line'), made: true };
  if (found.isDirectory())
    throw new UnimissError('config', 'is a folder, not a configuration', {
      place: file,
      remedy: 'Create one with `unimiss plan FOLDER > my.unimiss.jsonc`.',
    });
  if (found.size > 1 << 20)
    throw new UnimissError('config', 'the file is too large for a configuration (over 1 MiB)', {
      place: file,
      remedy: 'Name a *.unimiss.jsonc file or a folder.',
    });
  return { text: await readFile(file, 'utf8'), file };
}

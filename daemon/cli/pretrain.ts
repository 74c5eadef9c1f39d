import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { applyEdits, modify, parseTree } from 'jsonc-parser';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import { parseConfig } from '../../protocol/parseConfig.ts';
import { resolveConfig } from '../../protocol/resolveConfig.ts';
import { listRuns, runState } from '../runs/list.ts';
import { runsRoot } from '../runs/root.ts';
import { RunFolder } from '../runs/runFolder.ts';
import { findRun } from './findRun.ts';
import { Reporter } from './reporter.ts';
import { trainInTerminal } from './trainInTerminal.ts';

const collect = (value: string, before: string[]) => [...before, value];

/** `unimiss pretrain CONFIG | FOLDER` */
export function pretrainCommand(): Command {
  return new Command('pretrain')
    .description('Pre-train MiT on 2D and 3D images, from a configuration file or a folder of images.')
    .argument('<config>', 'a *.unimiss.jsonc file, or a folder of images (all else by default)')
    .option(
      '--set <key=value>',
      'change one value of the configuration, for example train.epochs=20 (repeatable)',
      collect,
      [],
    )
    .option('--runs <folder>', 'folder for runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .option('--dry-run', 'check the configuration, print it as resolved, train nothing')
    .addHelpText(
      'after',
      `
Examples:
  unimiss pretrain my.unimiss.jsonc
  unimiss pretrain ~/images --set model.preset=small --set train.batch.3D=4
Ctrl-C stops at the next step with a checkpoint; "unimiss resume" goes on.`,
    )
    .action(async (path: string, options: { set: string[]; runs?: string; dryRun?: boolean }, command: Command) => {
      const reporter = Reporter.of(command);
      const { text, file } = await readConfig(path);
      const given = options.set.reduce(applySetting, text);
      const config = resolveConfig(parseConfig(given, file), { baseDir: dirname(file) });
      if (options.dryRun) {
        process.stdout.write(`${JSON.stringify(config, null, 2)}\n`);
        return;
      }
      const run = await RunFolder.create(options.runs ? resolve(options.runs) : runsRoot(), given, config);
      reporter.notice(`Run folder: ${run.folder}`);
      await trainInTerminal(run, reporter);
    });
}

/** `unimiss resume [RUN]` */
export function resumeCommand(): Command {
  return new Command('resume')
    .description('Go on with a run from its last good checkpoint: bit for bit what the unbroken run would give (CPU).')
    .argument('[run]', 'name or folder of the run (default: the newest that is not finished)')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .action(async (name: string | undefined, options: { runs?: string }, command: Command) => {
      const reporter = Reporter.of(command);
      const root = options.runs ? resolve(options.runs) : runsRoot();
      const run = name ? await findRun(root, name) : await newestUnfinished(root);
      if ((await runState(run)) === 'finished')
        throw new UnimissError('run', 'this run is finished', {
          place: run.folder,
          remedy:
            'Look at it with "unimiss metrics"; to train on, start a run with train.initialWeights = its last checkpoint.',
        });
      reporter.notice(`Run folder: ${run.folder}`);
      await trainInTerminal(run, reporter);
    });
}

/** The text of a configuration; a folder of images stands for the configuration that only names it. */
async function readConfig(path: string): Promise<{ text: string; file: string }> {
  const file = resolve(path);
  const found = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    throw new UnimissError('config', cause.code === 'ENOENT' ? 'there is no such file or folder' : messageOf(cause), {
      place: file,
      remedy: '"unimiss init FOLDER > my.unimiss.jsonc" writes a configuration to start from.',
      cause,
    });
  });
  if (found.isDirectory())
    return { text: `${JSON.stringify({ data: { paths: [file] } }, null, 2)}\n`, file: resolve(file, 'command line') };
  if (found.size > 1 << 20)
    throw new UnimissError('config', 'this is too large for a configuration', {
      place: file,
      remedy: 'Name a *.unimiss.jsonc file or a folder.',
    });
  return { text: await readFile(file, 'utf8'), file };
}

/** Applies `train.epochs=20` to a configuration's text, comments kept. The value is JSON; what is not JSON is a text. */
function applySetting(text: string, setting: string): string {
  const [, key, value] = /^([\w.-]+)=(.*)$/s.exec(setting) ?? [];
  if (!key || value === undefined)
    throw new UnimissError('config', `"${setting}" is not key=value`, {
      place: '--set',
      remedy: 'For example: --set train.epochs=20',
    });
  if (!parseTree(text)) return text; // parseConfig explains what is wrong with it
  return applyEdits(
    text,
    modify(text, key.split('.'), jsonOr(value), { formattingOptions: { insertSpaces: true, tabSize: 2 } }),
  );
}

function jsonOr(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

async function newestUnfinished(root: string): Promise<RunFolder> {
  const { runs } = await listRuns(root);
  const candidate = runs.find((run) => run.state !== 'finished' && run.state !== 'running');
  if (candidate) return RunFolder.open(candidate.folder);
  throw new UnimissError('run', 'there is no run to resume', {
    place: root,
    remedy:
      runs.length > 0
        ? 'All runs there are finished or running: "unimiss runs" lists them.'
        : 'Start one with "unimiss pretrain".',
  });
}

import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { ConfigKind } from '../../../protocol/config/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { printable } from '../../../protocol/printable.ts';
import type { RunRecord, RunSummary } from '../../../protocol/records/records.ts';
import type { Series } from '../../../protocol/records/series.ts';
import { runGet, runsList } from '../../../protocol/runs/messages.ts';
import type { DaemonConnection } from '../../client/daemonConnection.ts';
import { recordsToColumns } from '../../evaluate/series/columns.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { writeRunPage } from '../../runs/records/export/runPage.ts';
import { textOf } from '../../runs/records/export/runText.ts';
import { exportTensorBoard } from '../../runs/records/export/tensorboard.ts';
import { csvOf, jsonOf } from '../../runs/records/export/text.ts';
import { listRuns, summarize } from '../../runs/records/list.ts';
import { readAllRecords } from '../../runs/records/readRecords.ts';
import { kindsOf, seriesWithLimits, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';
import { askedRoot, foregroundOption, runReference, throughDaemon } from '../viaDaemon/connection.ts';
import { findRun } from '../viaDaemon/findRun.ts';
import { readRecordsByDaemon } from '../viaDaemon/records.ts';

type Format = 'text' | 'json' | 'csv' | 'csv-epochs' | 'tensorboard' | 'html';

interface Options {
  format: Format;
  out?: string;
  runs?: string;
  foreground?: boolean;
}

/** `unimiss metrics [RUN] --format …` */
export function metricsCommand(tasks: readonly Task[] = productTasks): Command {
  return new Command('metrics')
    .description('Show what a run recorded: as a table in the terminal, or in a format for other tools.')
    .argument('[run]', 'name or folder of the run (default: the newest)')
    .addOption(
      new Option(
        '--format <format>',
        'text: a summary; html: a page with curves and previews; tensorboard: an event file',
      )
        .choices(['text', 'json', 'csv', 'csv-epochs', 'tensorboard', 'html'])
        .default('text'),
    )
    .option('-o, --out <path>', 'write to this path instead of standard output (tensorboard: a folder)')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .addHelpText(
      'after',
      '\nExamples:\n  unimiss metrics --format html\n  unimiss metrics my-run --format csv -o steps.csv',
    )
    .addOption(foregroundOption())
    .action(async (name: string | undefined, options: Options, command: Command) => {
      const reporter = Reporter.of(command);
      const recorded = await readRun(name, options, { reporter, tasks });
      const format = reporter.json && options.format === 'text' ? 'json' : options.format;
      await write(recorded, { format, out: options.out && resolve(options.out), tasks }, reporter);
    });
}

/** The records of a run, from the daemon or from the disk; of the newest run without a name. */
export async function readRun(
  name: string | undefined,
  { runs, foreground }: Pick<Options, 'runs' | 'foreground'>,
  { reporter, tasks }: { reporter: Reporter; tasks: readonly Task[] },
): Promise<Recorded> {
  const root = askedRoot(runs);
  return foreground
    ? readHere(root ?? runsRoot(), name, reporter, kindsOf(tasks))
    : throughDaemon(reporter, (client) => readByDaemon(client, root, name, reporter));
}

/** Writes the page of a run with curves and previews, into its folder by default. @returns the file */
export async function writePage(
  { summary, records }: Recorded,
  {
    reporter,
    tasks,
    file = join(summary.folder, 'report.html'),
  }: { reporter: Reporter; tasks: readonly Task[]; file?: string | undefined },
): Promise<string> {
  const run = await RunFolder.open(summary.folder, kindsOf(tasks));
  const series = seriesWithLimits(run, tasks);
  await writeRunPage(file, run, summary, records, { series, notice: (message) => reporter.notice(message) });
  return file;
}

async function write(
  recorded: Recorded,
  { format, out, tasks }: { format: Format; out: string | undefined; tasks: readonly Task[] },
  reporter: Reporter,
): Promise<void> {
  if (format === 'html') return reporter.line(await writePage(recorded, { reporter, tasks, file: out }));
  const { summary, records } = recorded;
  const run = await RunFolder.open(summary.folder, kindsOf(tasks));
  const series = seriesWithLimits(run, tasks);
  if (format === 'tensorboard') {
    const folder = out ?? run.tensorboardFolder;
    const alone = out === undefined && summary.state !== 'running';
    return reporter.line(await exportTensorBoard(records, folder, { run: summary.id, alone, series }));
  }
  const text = asText(summary, records, format, series);
  if (out) await writeTextAtomically(out, text);
  else process.stdout.write(format === 'text' ? printable(text) : text);
}

/** The records of a run, and its state. */
export interface Recorded {
  summary: RunSummary;
  records: RunRecord[];
}

async function readByDaemon(
  client: DaemonConnection,
  root: string | undefined,
  name: string | undefined,
  reporter: Reporter,
): Promise<Recorded> {
  const run =
    name === undefined ? newest(await client.call(runsList, { ...(root && { root }) })) : runReference(name, root);
  const summary = await client.call(runGet, { run });
  const records: RunRecord[] = [];
  const { leftOut } = await readRecordsByDaemon(client, run, undefined, (record) => records.push(record));
  if (leftOut > 0)
    reporter.notice(`Skipped ${leftOut} lines of ${summary.folder}/records.jsonl: this version cannot read them.`);
  return { summary, records };
}

async function readHere(
  root: string,
  name: string | undefined,
  reporter: Reporter,
  kinds: readonly ConfigKind[],
): Promise<Recorded> {
  const run =
    name === undefined
      ? await RunFolder.open(newest({ root, ...(await listRuns(root, kinds)) }), kinds)
      : await findRun(root, name, kinds);
  const records = await readAllRecords(run.recordsFile, (message) => reporter.notice(message));
  return { summary: await summarize(run), records };
}

function asText(
  summary: RunSummary,
  records: readonly RunRecord[],
  format: Exclude<Format, 'html' | 'tensorboard'>,
  series: readonly Series[],
): string {
  switch (format) {
    case 'csv':
      return csvOf(recordsToColumns(records).steps);
    case 'csv-epochs':
      return csvOf(recordsToColumns(records).epochs);
    case 'json':
      return jsonOf(summary, records);
    case 'text':
      return textOf(summary, records, series);
  }
}

/** The folder of the newest run. */
function newest({ root, runs: [first] }: { root: string; runs: readonly RunSummary[] }): string {
  if (first) return first.folder;
  throw new UnimissError('run', 'no runs found', {
    place: root,
    remedy: 'Start one with "unimiss pretrain" or "unimiss demo".',
  });
}

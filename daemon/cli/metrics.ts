import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { UnimissError } from '../../protocol/errors.ts';
import type { RunRecord } from '../../protocol/records.ts';
import { recordsToColumns } from '../evaluate/columns.ts';
import { writeTextAtomically } from '../files/atomic.ts';
import { exportTensorBoard } from '../runs/export/tensorboard.ts';
import { csvOf, jsonOf, textOf } from '../runs/export/text.ts';
import { listRuns, summarize } from '../runs/list.ts';
import { readRecords } from '../runs/readRecords.ts';
import { runsRoot } from '../runs/root.ts';
import { RunFolder } from '../runs/runFolder.ts';
import { findRun } from './findRun.ts';
import { Reporter } from './reporter.ts';
import { writeRunPage } from './runPage.ts';

type Format = 'text' | 'json' | 'csv' | 'csv-epochs' | 'tensorboard' | 'html';

/** `unimiss metrics [RUN] --format …` */
export function metricsCommand(): Command {
  return new Command('metrics')
    .description('What a run recorded: as a table in the terminal, or for other tools.')
    .argument('[run]', 'name or folder of the run (default: the newest)')
    .addOption(
      new Option(
        '--format <format>',
        'text: a summary; html: a page with curves and previews; tensorboard: an event file',
      )
        .choices(['text', 'json', 'csv', 'csv-epochs', 'tensorboard', 'html'])
        .default('text'),
    )
    .option('-o, --out <path>', 'write there instead of to standard output (tensorboard: a folder)')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .addHelpText(
      'after',
      '\nExamples:\n  unimiss metrics --format html\n  unimiss metrics my-run --format csv -o steps.csv',
    )
    .action(
      async (name: string | undefined, options: { format: Format; out?: string; runs?: string }, command: Command) => {
        const reporter = Reporter.of(command);
        const root = options.runs ? resolve(options.runs) : runsRoot();
        const run = name ? await findRun(root, name) : await newest(root);
        const format = reporter.json && options.format === 'text' ? 'json' : options.format;
        const notice = (message: string) => reporter.notice(message);
        if (format === 'html') {
          const file = resolve(options.out ?? `${run.folder}/report.html`);
          await writeRunPage(file, run, notice);
          return reporter.line(file);
        }
        if (format === 'tensorboard') {
          const file = await exportTensorBoard(
            readRecords(run.recordsFile, notice),
            resolve(options.out ?? run.tensorboardFolder),
          );
          return reporter.line(file);
        }
        const records: RunRecord[] = [];
        for await (const record of readRecords(run.recordsFile, notice)) records.push(record);
        const text = await asText(run, records, format);
        if (options.out) await writeTextAtomically(resolve(options.out), text);
        else process.stdout.write(text);
      },
    );
}

async function asText(
  run: RunFolder,
  records: readonly RunRecord[],
  format: Exclude<Format, 'html' | 'tensorboard'>,
): Promise<string> {
  switch (format) {
    case 'csv':
      return csvOf(recordsToColumns(records).steps);
    case 'csv-epochs':
      return csvOf(recordsToColumns(records).epochs);
    case 'json':
      return jsonOf(await summarize(run), records);
    case 'text':
      return textOf(await summarize(run), records);
  }
}

async function newest(root: string): Promise<RunFolder> {
  const [first] = (await listRuns(root)).runs;
  if (first) return RunFolder.open(first.folder);
  throw new UnimissError('run', 'there are no runs', {
    place: root,
    remedy: 'Start one with "unimiss pretrain" or "unimiss demo".',
  });
}

import { resolve } from 'node:path';
import { Command } from 'commander';
import { listRuns } from '../runs/list.ts';
import { runsRoot } from '../runs/root.ts';
import { Reporter } from './reporter.ts';
import { table } from './table.ts';

/** `unimiss runs` */
export function runsCommand(): Command {
  return new Command('runs')
    .description('List runs: how they stand and how far they are.')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .action(async (options: { runs?: string }, command: Command) => {
      const reporter = Reporter.of(command);
      const root = options.runs ? resolve(options.runs) : runsRoot();
      const { runs, problems } = await listRuns(root);
      for (const run of runs) reporter.record(run);
      if (runs.length === 0) reporter.line(`No runs in ${root}. Start one with "unimiss pretrain".`);
      else
        reporter.line(
          table(
            ['run', 'state', 'model', 'epoch', 'step', 'loss', 'updated'],
            runs.map((r) => [
              r.id,
              r.state,
              r.preset,
              r.epoch === null ? '-' : `${r.epoch + 1}/${r.epochs}`,
              r.step === null ? '-' : String(r.step + 1),
              r.loss?.toFixed(3) ?? '-',
              r.updated.slice(0, 16).replace('T', ' '),
            ]),
          ),
        );
      for (const { folder, message } of problems) reporter.notice(`Left out ${folder}: ${message}`);
    });
}

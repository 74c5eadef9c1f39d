import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { UnimissError } from '../../../protocol/errors.ts';
import { runDelete, runGet } from '../../../protocol/runs/messages.ts';
import { Reporter } from '../terminal/reporter.ts';
import { askedRoot, runReference, throughDaemon } from '../viaDaemon/connection.ts';

/** `unimiss delete RUN` */
export function deleteCommand(): Command {
  return new Command('delete')
    .description('Move a run to the folder .trash next to the other runs. Asks first. Fails while the run is training.')
    .argument('<run>', 'name or folder of the run')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, { runs, yes }: { runs?: string; yes?: boolean }, command: Command) => {
      const reporter = Reporter.of(command);
      await throughDaemon(reporter, async (client) => {
        const run = runReference(name, askedRoot(runs));
        const { id, folder, state } = await client.call(runGet, { run });
        if (!yes && !(await agreed(`Delete ${id} (${state}), with its checkpoints? [y/N] `, folder)))
          return reporter.notice('Nothing was deleted.');
        const { trash } = await client.call(runDelete, { run, confirm: true });
        reporter.line(`Moved ${id} to ${trash}`);
        reporter.record({ id, trash });
      });
    });
}

/** Asks on the terminal. @throws UnimissError 'run' if there is none */
async function agreed(question: string, place: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UnimissError('run', 'cannot ask for confirmation without a terminal', {
      place,
      remedy: 'Pass --yes to delete without asking.',
    });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

import { Command, InvalidArgumentError } from 'commander';
import { UnimissError } from '../../../protocol/errors.ts';
import { printable } from '../../../protocol/printable.ts';
import { logAppended, logFollow, logRead } from '../../../protocol/runs/logMessages.ts';
import { runsList } from '../../../protocol/runs/messages.ts';
import type { DaemonConnection } from '../../client/daemonConnection.ts';
import { askedRoot, runReference, startedDaemon } from '../viaDaemon/connection.ts';

interface Options {
  follow?: boolean;
  lines: number;
  runs?: string;
}

/** `unimiss logs [RUN] [-f]` */
export function logsCommand(): Command {
  return new Command('logs')
    .description('Show the log of a run. With -f, also show new lines until Ctrl-C.')
    .argument('[run]', 'name or folder of the run (default: the newest)')
    .option('-f, --follow', 'show new lines as they are written')
    .option('-n, --lines <number>', 'number of lines to show, from the end', count, 50)
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .action(async (name: string | undefined, { follow, lines, runs }: Options) => {
      const root = askedRoot(runs);
      const client = await startedDaemon();
      try {
        const run = name === undefined ? await newest(client, root) : runReference(name, root);
        if (!follow) process.stdout.write(printable((await client.call(logRead, { run, lines })).text));
        else {
          client.listen(logAppended, ({ text }) => process.stdout.write(printable(text)));
          await client.call(logFollow, { run, lines });
          process.once('SIGINT', () => client.close());
          await client.closed;
        }
      } finally {
        client.close();
      }
    });
}

async function newest(client: DaemonConnection, asked: string | undefined): Promise<string> {
  const { runs, root } = await client.call(runsList, { ...(asked && { root: asked }) });
  if (runs[0]) return runs[0].folder;
  throw new UnimissError('run', 'no runs found', { place: root, remedy: 'Start one with `unimiss pretrain`.' });
}

function count(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0 && number <= 10_000) return number;
  throw new InvalidArgumentError('Expected a number from 0 to 10000.');
}

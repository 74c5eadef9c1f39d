import { basename, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { daemonStatus, daemonStop, stopParams } from '../../../protocol/daemon/lifecycleMessages.ts';
import type { ResultOf } from '../../../protocol/daemon/rpc.ts';
import { controlVersion } from '../../../protocol/runs/trainerMessages.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import type { Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Daemon } from '../../server/life/daemon.ts';
import { AlreadyRunning } from '../../server/life/daemonLock.ts';
import { logToFile, logToStderr } from '../../server/life/daemonLog.ts';
import { daemonPaths } from '../../server/life/paths.ts';
import { duration, Reporter } from '../terminal/reporter.ts';
import { table } from '../terminal/table.ts';
import { startedDaemon, thisProgram, withDaemon } from '../viaDaemon/connection.ts';

/** Minutes without clients and runs after which a daemon exits. */
const IDLE_MINUTES = 15;

interface RunOptions {
  idle: number;
  runs?: string;
  detached?: boolean;
}

/** `unimiss daemon [status | start | stop]` */
export function daemonCommand(tasks: readonly Task[] = productTasks): Command {
  const daemon = new Command('daemon')
    .description(
      'Run the server that trains in the background. Other commands and the editor start it when they need it.',
    )
    .option(
      '--idle <minutes>',
      'exit after this time without clients and runs',
      minutes,
      Number(process.env.UNIMISS_IDLE_MINUTES ?? IDLE_MINUTES),
    )
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .addOption(new Option('--detached', 'started by another command: log to standard error').hideHelp())
    .addHelpText(
      'after',
      `
Each user has one daemon per machine; set UNIMISS_SOCKET to use another. Every
run has its own process. When one dies, the daemon reports how, and "unimiss
resume" continues the run. When the daemon ends for any reason, its runs
continue and the next daemon takes them over. "unimiss daemon stop --stop-runs"
also stops the runs.`,
    )
    .action((options: RunOptions) => run(options, tasks));
  daemon
    .command('status')
    .description('Show whether the daemon is running and what it is doing.')
    .action(async (_: unknown, command: Command) => {
      const reporter = Reporter.of(command);
      const status = await withDaemon((client) => client.call(daemonStatus, {}));
      reporter.record(status);
      reporter.line(statusText(status));
    });
  daemon
    .command('start')
    .description('Start the daemon in the background if it is not running.')
    .action(async (_: unknown, command: Command) => {
      const reporter = Reporter.of(command);
      const client = await startedDaemon();
      const status = await client.call(daemonStatus, {});
      client.close();
      reporter.record(status);
      reporter.line(`The daemon is running (process ${status.pid}).`);
    });
  daemon
    .command('stop')
    .description('Stop the daemon. Its runs continue, and the next daemon takes them over.')
    .option('--stop-runs', 'also stop the runs after their current step, with a checkpoint')
    .action(async ({ stopRuns }: { stopRuns?: boolean }, command: Command) => {
      const reporter = Reporter.of(command);
      await withDaemon(async (client) => {
        const params = stopParams(client.daemon.unimiss.control, controlVersion, stopRuns ? 'stop' : 'leave');
        const answer = await client.call(daemonStop, params);
        for (const sentence of stopText(answer)) reporter.notice(sentence);
        await client.closed;
        reporter.line(answer.staying > 0 ? 'The daemon has made room for a new one.' : 'The daemon has stopped.');
      });
    });
  return daemon;
}

/** Runs the daemon in this process until it ends. */
async function run({ idle, runs, detached }: RunOptions, tasks: readonly Task[]): Promise<void> {
  const paths = daemonPaths();
  let daemon: Daemon;
  try {
    daemon = await Daemon.start({
      paths,
      tasks,
      runsRoot: runs ? resolve(runs) : runsRoot(),
      trainer: { file: process.execPath, args: [...thisProgram(), 'worker'] },
      job: { file: process.execPath, args: [...thisProgram(), 'job'] },
      report: { file: process.execPath, args: [...thisProgram(), 'engine', 'doctor'] },
      idleMs: idle * 60_000,
      log: detached ? logToFile(paths.log) : logToStderr,
      ...(detached && { logFile: paths.log }),
    });
  } catch (error) {
    // If two start at the same time, one is enough.
    if (!detached || !(error instanceof AlreadyRunning)) throw error;
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => daemon.stop());
  process.on('uncaughtException', (error) => {
    logToStderr('error', `internal error, the daemon stops: ${error.stack ?? error}`);
    process.exitCode = 1;
    daemon.stop();
  });
  await daemon.ended;
  process.exit();
}

function stopText({ stopping, leaving, staying, waiting, forgotten }: ResultOf<typeof daemonStop>): string[] {
  const runs = (n: number) => (n === 1 ? '1 run' : `${n} runs`);
  return [
    ...(stopping > 0 ? [`Stopping ${runs(stopping)} after the current step, with a checkpoint.`] : []),
    ...(leaving > 0
      ? [
          `${runs(leaving)} will continue without the daemon. The next daemon takes over. To stop them too, pass --stop-runs.`,
        ]
      : []),
    ...(staying > 0 ? [`The daemon stays next to the new one until ${runs(staying)} of its version ended.`] : []),
    ...(waiting > 0 ? [`The next daemon queues ${runs(waiting)} again, in the same order.`] : []),
    ...(forgotten > 0 ? [`${runs(forgotten)} left the queue. Start them again with \`unimiss resume RUN\`.`] : []),
  ];
}

function statusText(s: ResultOf<typeof daemonStatus>): string {
  const age = duration((Date.now() - Date.parse(s.started)) / 1000);
  const rows = [
    ['process', `${s.pid}, for ${age}, version ${s.version}, ${s.rssMiB.toFixed(0)} MiB`],
    ['runs', `${s.training} training, ${s.queued} queued, in ${s.runsRoot}`],
    ['clients', String(s.clients)],
    ...s.retired.map(({ pid, version, socket, runs }) => [
      'earlier daemon',
      `${pid}, version ${version}, still serves ${runs.map((run) => basename(run)).join(', ') || 'no runs'}; reach it with UNIMISS_SOCKET=${socket}`,
    ]),
    ['socket', s.socket],
    ['log', s.log ?? 'standard error of the daemon'],
    ['idle exit', s.idleSeconds === null ? 'never' : `after ${duration(s.idleSeconds)} without clients and runs`],
  ];
  return table(['daemon', ''], rows);
}

function minutes(value: string): number {
  const number = Number(value);
  if (Number.isFinite(number) && number > 0 && number < 1e5) return number;
  throw new InvalidArgumentError('Expected a number of minutes.');
}

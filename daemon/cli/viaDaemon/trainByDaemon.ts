import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fromErrorData, isConnectionLost } from '../../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { Series } from '../../../protocol/records/series.ts';
import { runContinue, runGet, runStart, runStop, runsChanged, runsWatch } from '../../../protocol/runs/messages.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import type { DaemonConnection } from '../../client/daemonConnection.ts';
import { daemonPaths } from '../../server/life/paths.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { NewestValue } from '../terminal/newestValue.ts';
import type { Reporter } from '../terminal/reporter.ts';
import { RunDisplay } from '../terminal/runDisplay.ts';
import { startedDaemon } from './connection.ts';
import { daemonLost } from './daemonLost.ts';
import { readRecordsByDaemon } from './records.ts';

/** How often the daemon is started again after it died without news of the run. */
const MOST_LOSSES = 3;

/**
 * Starts a run in the daemon (or continues a paused one) and shows it in this terminal until it ends. Ctrl-C stops the run at its
 * next step with a checkpoint. A second one, or closing the terminal, only ends this display. If the daemon dies, this starts it
 * again, and the display continues without a gap.
 * @param series catalogue of the run's numbers
 * @param afterStart called once the run is started or queued
 * @throws UnimissError with which the run failed; 'run' if its process died; 'daemon' if the daemon was stopped on request, died
 * before the run was started, or does not start again
 */
export async function trainByDaemon(
  client: DaemonConnection,
  { folder, activity }: Pick<RunInfo, 'folder'> & Partial<Pick<RunInfo, 'activity'>>,
  reporter: Reporter,
  series: readonly Series[],
  afterStart: () => Promise<void> = async () => undefined,
): Promise<'finished' | 'stopped' | 'dequeued'> {
  const id = basename(folder);
  const display = new RunDisplay(reporter, series);
  let cursor = 'end';
  /** The connection that works, once the run is started. */
  let current: DaemonConnection | undefined;
  let news = changesOf(client, folder);
  let unwanted = false;
  /** Times that the daemon was lost since the last news of the run. */
  let losses = 0;
  // The daemon sends only differences; a run that was queued and dequeued shows none. So check after each request.
  const ended = (info: RunInfo) => info.activity === null && news.put(info);
  const stop = (via: DaemonConnection) =>
    // The run may just have ended. If the daemon is gone, the next one is asked again.
    via.call(runStop, { run: folder }).then(ended, (error) => isGone(error) || reporter.notice(error.message));
  const interrupt = onInterrupt(
    () => {
      reporter.notice(
        `${id} finishes its current step, saves a checkpoint and stops. Press Ctrl-C again to exit without waiting.`,
      );
      unwanted = true;
      if (current) void stop(current);
    },
    () =>
      current
        ? `This command no longer waits. ${id} stops in the background: \`unimiss runs\` shows when it has.`
        : `This command no longer waits. If ${id} was not started yet: unimiss resume ${id}`,
  );
  try {
    await client.call(runsWatch, {});
    ({ cursor } = await readRecordsByDaemon(client, folder, cursor, () => {}));
    news.put(await client.call(activity === 'paused' ? runContinue : runStart, { run: folder }));
    current = client;
    await afterStart();
    if (unwanted)
      void stop(client); // stop now: the run could not be stopped before it was started
    else ended(await client.call(runGet, { run: folder }));
    for (;;) {
      try {
        if (losses > 0) {
          if (current !== client) current.close();
          current = await startedDaemon();
          news = changesOf(current, folder);
          await current.call(runsWatch, {});
          const info = await current.call(runGet, { run: folder });
          // Without activity and ending, the trainer is just starting, and the daemon will find it.
          if (info.activity !== null || info.ending !== null) news.put(info);
          if (unwanted) void stop(current);
        }
        const info = await news.take();
        if (info === 'deleted') throw new UnimissError('run', 'the run was deleted', { place: folder });
        ({ cursor } = await readRecordsByDaemon(current, folder, cursor, (record) => display.record(record)));
        losses = 0;
        showState(info, display);
        if (info.activity !== null) continue;
        const outcome = outcomeOf(info);
        if (outcome === 'finished') display.finished();
        return outcome;
      } catch (error) {
        losses++;
        if (!isGone(error) || losses > MOST_LOSSES || wasStopped()) throw error;
        reporter.notice(`The daemon died; ${id} continues. Starting the daemon again.`);
      }
    }
  } catch (error) {
    if (!isGone(error)) throw error;
    throw daemonLost(error, {
      id,
      started: current !== undefined,
      stopped: wasStopped(),
      deaths: losses,
      log: daemonPaths().log,
    });
  } finally {
    interrupt.dispose();
    if (current !== client) current?.close();
  }
}

/** The newest state of a run, as a daemon that `runsWatch` was requested of tells it; fails when the connection ends. */
function changesOf(client: DaemonConnection, folder: string): NewestValue<RunInfo | 'deleted'> {
  const news = new NewestValue<RunInfo | 'deleted'>();
  client.listen(runsChanged, ({ runs, removed }) => {
    const info = runs.find((run) => run.folder === folder);
    if (info) news.put(info);
    else if (removed.includes(folder)) news.put('deleted');
  });
  client.closed.then(
    () => news.fail(new Gone('daemon', 'the daemon ended')),
    (error) => news.fail(error),
  );
  return news;
}

/** The connection ended while nothing was requested. */
class Gone extends UnimissError {}

function isGone(error: unknown): boolean {
  return error instanceof Gone || (error instanceof UnimissError && isConnectionLost(error.details.cause));
}

/** Whether the daemon ended on request: it removes its socket, which a dead one leaves. */
function wasStopped(): boolean {
  return !existsSync(daemonPaths().socket);
}

function showState({ id, activity, queue, devices, stage, progress }: RunInfo, display: RunDisplay): void {
  if (activity === 'queued') display.stage(`Waiting for ${devices.join(' and ')}; position ${queue} in the queue`);
  else if (activity === 'paused') display.stage(`Paused. Continue with:  unimiss continue ${id}`);
  else if (progress) display.progress(progress);
  else if (stage) display.stage(stage);
}

/** How the run ended. @throws UnimissError unless it finished or was stopped on request */
function outcomeOf({ id, ending }: RunInfo): 'finished' | 'stopped' | 'dequeued' {
  if (ending === null) return 'dequeued';
  switch (ending.how) {
    case 'finished':
    case 'stopped':
      return ending.how;
    case 'failed':
      throw ending.error ? fromErrorData(ending.error) : new UnimissError('internal', ending.message);
    case 'killed':
      throw new UnimissError('interrupted', 'the run was killed on request', {
        remedy: `Resume it from its last checkpoint with \`unimiss resume ${id}\`.`,
      });
    case 'died': {
      const words = ending.lastWords ? `\n  Its last output:\n  ${ending.lastWords.replaceAll('\n', '\n  ')}` : '';
      throw new UnimissError('run', `${ending.message}${words}`, {
        remedy: `Resume it with \`unimiss resume ${id}\`.`,
      });
    }
  }
}

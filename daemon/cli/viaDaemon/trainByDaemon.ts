import { basename } from 'node:path';
import { fromErrorData, isConnectionLost } from '../../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { Series } from '../../../protocol/records/series.ts';
import { runContinue, runGet, runStart, runStop, runsChanged, runsWatch } from '../../../protocol/runs/messages.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import type { DaemonConnection } from '../../client/daemonConnection.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { NewestValue } from '../terminal/newestValue.ts';
import type { Reporter } from '../terminal/reporter.ts';
import { RunDisplay } from '../terminal/runDisplay.ts';
import { readRecordsByDaemon } from './records.ts';

/**
 * Starts a run in the daemon (or continues a paused one) and shows it in this terminal until it ends. Ctrl-C stops the run at its
 * next step with a checkpoint. A second one, or closing the terminal, only ends this display.
 * @param series catalogue of the run's numbers
 * @param afterStart called once the run is started or queued
 * @throws UnimissError with which the run failed; 'run' if its process died, 'daemon' if the daemon died
 */
export async function trainByDaemon(
  client: DaemonConnection,
  { folder, activity }: Pick<RunInfo, 'folder'> & Partial<Pick<RunInfo, 'activity'>>,
  reporter: Reporter,
  series: readonly Series[],
  afterStart: () => Promise<void> = async () => undefined,
): Promise<'finished' | 'stopped'> {
  const id = basename(folder);
  const display = new RunDisplay(reporter, series);
  const news = new NewestValue<RunInfo | 'deleted'>();
  client.listen(runsChanged, ({ runs, removed }) => {
    const info = runs.find((run) => run.folder === folder);
    if (info) news.put(info);
    else if (removed.includes(folder)) news.put('deleted');
  });
  client.closed.then(
    () => news.fail(daemonGone(id)),
    (error) => news.fail(error),
  );
  let interrupt: ReturnType<typeof onInterrupt> | undefined;
  try {
    await client.call(runsWatch, {});
    let { cursor } = await readRecordsByDaemon(client, folder, 'end', () => {});
    // The daemon sends only differences; a run that was queued and dequeued shows none. So check after each request.
    const ended = (info: RunInfo) => info.activity === null && news.put(info);
    const stop = () => client.call(runStop, { run: folder }).then(ended, (error) => reporter.notice(error.message)); // the run may just have ended
    let started = false;
    let unwanted = false;
    interrupt = onInterrupt(() => {
      reporter.notice(
        `${id} finishes its current step, saves a checkpoint and stops. Press Ctrl-C again to exit without waiting.`,
      );
      unwanted = true;
      if (started) void stop();
    });
    news.put(await client.call(activity === 'paused' ? runContinue : runStart, { run: folder }));
    started = true;
    await afterStart();
    if (unwanted)
      void stop(); // stop now: the run could not be stopped before it was started
    else ended(await client.call(runGet, { run: folder }));
    for (;;) {
      const info = await news.take();
      if (info === 'deleted') throw new UnimissError('run', 'the run was deleted', { place: folder });
      ({ cursor } = await readRecordsByDaemon(client, folder, cursor, (record) => display.record(record)));
      showState(info, display);
      if (info.activity !== null) continue;
      const outcome = outcomeOf(info);
      if (outcome === 'finished') display.finished();
      return outcome;
    }
  } catch (error) {
    throw error instanceof UnimissError && isConnectionLost(error.details.cause) ? daemonGone(id, error) : error;
  } finally {
    interrupt?.dispose();
  }
}

function showState({ id, activity, queue, devices, stage, progress }: RunInfo, display: RunDisplay): void {
  if (activity === 'queued') display.stage(`Waiting for ${devices.join(' and ')}; position ${queue} in the queue`);
  else if (activity === 'paused') display.stage(`Paused. Continue with:  unimiss continue ${id}`);
  else if (progress) display.progress(progress);
  else if (stage) display.stage(stage);
}

/** How the run ended. @throws UnimissError unless it finished or was stopped on request */
function outcomeOf({ id, ending }: RunInfo): 'finished' | 'stopped' {
  if (ending === null) return 'stopped'; // it left the queue
  switch (ending.how) {
    case 'finished':
    case 'stopped':
      return ending.how;
    case 'failed':
      throw ending.error ? fromErrorData(ending.error) : new UnimissError('internal', ending.message);
    case 'killed':
      throw new UnimissError('interrupted', ending.message, { remedy: `Resume it with \`unimiss resume ${id}\`.` });
    case 'died': {
      const words = ending.lastWords ? `\n  Its last output:\n  ${ending.lastWords.replaceAll('\n', '\n  ')}` : '';
      throw new UnimissError('run', `${ending.message}${words}`, {
        remedy: `Resume it with \`unimiss resume ${id}\`.`,
      });
    }
  }
}

function daemonGone(id: string, cause?: unknown): UnimissError {
  return new UnimissError('daemon', 'the daemon is gone; the run continues without it', {
    place: id,
    remedy: `\`unimiss runs\` starts the daemon again, which takes over the run; \`unimiss logs -f ${id}\` follows its log.`,
    cause,
  });
}

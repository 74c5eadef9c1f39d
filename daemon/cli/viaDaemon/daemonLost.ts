import { UnimissError } from '../../../protocol/errors.ts';

/** How a command that shows a run lost the daemon. */
interface Loss {
  /** Name of the run's folder. */
  readonly id: string;
  /** Whether the daemon had started or queued the run. */
  readonly started: boolean;
  /** Whether the daemon ended on request. */
  readonly stopped: boolean;
  /** Times in a row that it died without news of the run. */
  readonly deaths: number;
  /** File of the daemon's log. */
  readonly log: string;
}

/** What happened, and what to do: the error of a command that can show its run no longer. */
export function daemonLost(cause: unknown, { id, started, stopped, deaths, log }: Loss): UnimissError {
  if (!started)
    return new UnimissError('daemon', 'the daemon died before it started the run', {
      place: id,
      remedy: `Start the run with \`unimiss resume ${id}\`. The daemon's log may say why it died: ${log}`,
      cause,
    });
  if (stopped)
    return new UnimissError('daemon', 'the daemon was stopped; the run continues without it', {
      place: id,
      remedy: `\`unimiss runs\` starts the daemon again, which takes over the run; \`unimiss logs -f ${id}\` follows its log.`,
      cause,
    });
  // To start it once more would not help.
  return new UnimissError('daemon', `the daemon died ${deaths} times in a row without news of the run`, {
    place: id,
    remedy: `The daemon's log says why: ${log}\n  If the run was training, it continues; if it was waiting, the next daemon queues it again. Correct the cause, then run \`unimiss runs\`.`,
    cause,
  });
}

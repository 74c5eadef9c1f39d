import { type ErrorData, fromErrorData } from '../../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { RunEnding } from '../../../protocol/runs/runInfo.ts';
import type { RunFolder } from '../folder/runFolder.ts';

/** The text, for people, of an error that a trainer reported. */
export function errorOf(data: ErrorData): string {
  return fromErrorData(data).message;
}

/**
 * How a run ended, for the daemon's log. If the run hides names, this log has neither the text of its error nor its last words,
 * which may name images. The run's own log has the text with the names hidden.
 */
export function logText({ id, config }: RunFolder, { how, message, error, lastWords }: RunEnding): string {
  if (how !== 'died' && how !== 'failed') return `${id}: ${message}`;
  if (!config.records.hidePaths) return `${id}: ${message}\n${lastWords}`;
  return `${id}: ${error ? `failed (${error.code}); see its log.txt` : message}`;
}

export const alreadyActive = (id: string, activity: string): UnimissError =>
  new UnimissError('run', activity === 'queued' ? 'is already in the queue' : 'is already training', {
    place: id,
    remedy: activity === 'stopping' ? 'Wait until it stops.' : 'To restart it, stop it first.',
  });

export const notActive = (id: string): UnimissError =>
  new UnimissError('run', 'is not training in this daemon', {
    place: id,
    remedy: '`unimiss runs` shows its state; `unimiss resume` starts it.',
  });

export const isFinished = (id: string): UnimissError =>
  new UnimissError('run', 'is finished', {
    place: id,
    remedy:
      '`unimiss metrics` shows its results. To train further, start a new run with train.initialWeights set to its last checkpoint.',
  });

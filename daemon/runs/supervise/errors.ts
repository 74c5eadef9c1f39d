import { type ErrorData, fromErrorData } from '../../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { RunEnding } from '../../../protocol/runs/runInfo.ts';
import type { RunFolder } from '../folder/runFolder.ts';

/** The text for people of an error that a trainer told. */
export function errorOf(data: ErrorData): string {
  return fromErrorData(data).message;
}

/**
 * How a run ended, for the daemon's log. Where the run hides names, this log has neither the text of its error nor its last words:
 * they may name images. The run's own log has the text with the names hidden.
 */
export function logText({ id, config }: RunFolder, { how, message, error, lastWords }: RunEnding): string {
  if (how !== 'died' && how !== 'failed') return `${id}: ${message}`;
  if (!config.records.hidePaths) return `${id}: ${message}\n${lastWords}`;
  return `${id}: ${error ? `failed (${error.code}); its log.txt says why` : message}`;
}

export const alreadyActive = (id: string, activity: string): UnimissError =>
  new UnimissError('run', activity === 'queued' ? 'waits in the queue already' : 'is being trained already', {
    place: id,
    remedy: activity === 'stopping' ? 'Wait until it has stopped.' : 'Stop it first if it is to start anew.',
  });

export const notActive = (id: string): UnimissError =>
  new UnimissError('run', 'is not being trained by this daemon', {
    place: id,
    remedy: '`unimiss runs` shows how it stands; `unimiss resume` starts it.',
  });

export const isFinished = (id: string): UnimissError =>
  new UnimissError('run', 'is finished', {
    place: id,
    remedy:
      'Look at it with `unimiss metrics`; to train on, start a run with train.initialWeights = its last checkpoint.',
  });

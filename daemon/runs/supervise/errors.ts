import { type ErrorData, fromErrorData } from '../../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../../protocol/errors.ts';

/** The text for people of an error that a trainer told. */
export function errorOf(data: ErrorData): string {
  return fromErrorData(data).message;
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

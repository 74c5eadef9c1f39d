import { UnimissError } from '../../../protocol/errors.ts';
import type { CApi, Pointer } from './cApi.ts';

/**
 * Turns a TF_Status into an error with TensorFlow's own words.
 * @param place the failed operation: the op with the types and shapes of its inputs, or a step's name
 */
export function checkStatus(c: CApi, status: Pointer, place: () => string): void {
  const code = c.TF_GetCode(status) as number;
  if (code === 0) return;
  const message = c.TF_Message(status) as string;
  c.TF_SetStatus(status, 0, ''); // some functions do not set the status when they succeed
  throw new UnimissError('engine', `TensorFlow: ${message}`, {
    place: place(),
    ...(code === RESOURCE_EXHAUSTED && { remedy: 'Use a smaller batch, or accumulate gradients (train.accumulate).' }),
  });
}

const RESOURCE_EXHAUSTED = 8;

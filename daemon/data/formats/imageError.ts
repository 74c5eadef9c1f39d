import { UnimissError } from '../../../protocol/errors.ts';

/**
 * The error for an image that cannot be used.
 * @param what a clause whose subject is the image ("is truncated"), in words that need no knowledge of its decoder
 */
export function imageError(path: string, what: string, more: { remedy?: string; cause?: unknown } = {}): UnimissError {
  return new UnimissError('data', what, { ...more, place: path, images: [path] });
}

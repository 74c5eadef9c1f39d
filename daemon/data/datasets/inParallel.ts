import { refuseAborted } from './files.ts';

/** Number of items in use at the same time: files whose headers are read. */
const parallel = 8;

/** @throws UnimissError('interrupted') before the next item after `signal` */
export async function inParallel<T>(
  items: readonly T[],
  use: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) {
      refuseAborted(signal);
      await use(item);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

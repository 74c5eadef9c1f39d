/** Number of items in use at the same time: files whose headers are read. */
const parallel = 8;

export async function inParallel<T>(items: readonly T[], use: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await use(item);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

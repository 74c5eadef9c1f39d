import { dirname, join } from 'node:path';
import { z } from 'zod';
import { readWhole } from '../daemon/data/formats/bytes.ts';
import { UnimissError } from '../protocol/errors.ts';

/** nnU-Net 2 maps names to numbers (or to lists of them: regions), nnU-Net 1 and the Decathlon map numbers to names. */
const datasetJson = z.object({ labels: z.record(z.string(), z.unknown()) });
const mostBytes = 2 ** 20;

/**
 * Names of labels from the `dataset.json` that a label map belongs to: beside it, or in the folder above. What cannot be read says nothing.
 * @returns empty where there is none
 */
export async function namesFromDataset(path: string): Promise<ReadonlyMap<number, string>> {
  for (const folder of [dirname(path), dirname(dirname(path))]) {
    const names = await readNames(join(folder, 'dataset.json'));
    if (names.size > 0) return names;
  }
  return new Map();
}

async function readNames(file: string): Promise<ReadonlyMap<number, string>> {
  const names = new Map<number, string>();
  let content: unknown;
  try {
    content = JSON.parse((await readWhole(file, mostBytes)).toString('utf8'));
  } catch (error) {
    // Not there, or no JSON: the labels then have numbers.
    if (error instanceof UnimissError || error instanceof SyntaxError) return names;
    throw error;
  }
  const checked = datasetJson.safeParse(content);
  for (const [key, value] of Object.entries(checked.data?.labels ?? {})) {
    const [number, name] = typeof value === 'number' ? [value, key] : [Number(key), value];
    if (Number.isInteger(number) && typeof name === 'string') names.set(number, name.slice(0, 300));
  }
  return names;
}

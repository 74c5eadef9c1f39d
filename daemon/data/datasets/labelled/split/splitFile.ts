import { z } from 'zod';
import { writeTextAtomically } from '../../../../files/atomic.ts';
import { readJson } from '../layouts/draft.ts';
import type { Split } from './split.ts';

const ids = z.array(z.string().min(1));
const ours = z.object({
  format: z.literal(1),
  seed: z.int().min(0).nullable(),
  folds: z.array(z.object({ train: ids, validation: ids })).min(1),
  test: ids,
});
/** `splits_final.json` of nnU-Net. */
const nnunet = z.array(z.object({ train: ids, val: ids })).min(1);

/** Saves a split, whole or not at all. Throws UnimissError('disk'). */
export function writeSplit(file: string, { seed, folds, test }: Split): Promise<void> {
  return writeTextAtomically(file, `${JSON.stringify({ format: 1, seed, folds, test }, null, 1)}\n`);
}

/**
 * Reads a split: what `writeSplit` wrote, or `splits_final.json` of nnU-Net (without test cases).
 * @throws UnimissError('data')
 */
export async function readSplit(file: string): Promise<Split> {
  const given = await readJson(file, z.union([ours, nnunet]));
  if ('format' in given) return { seed: given.seed, folds: given.folds, test: given.test };
  return { seed: null, folds: given.map(({ train, val }) => ({ train, validation: val })), test: [] };
}

import type { z } from 'zod';
import { messageOf, UnimissError } from '../../../../../protocol/errors.ts';
import type { Modality } from '../../../../../protocol/modality.ts';
import { readListing } from '../../delimited.ts';
import type { ClassificationCase, Finding, LabelClass, Layout, SegmentationCase } from '../types.ts';

interface DraftParts {
  readonly layout: Layout;
  readonly root: string;
  readonly name: string;
  readonly exclusive: boolean;
  /** null: one, unnamed. */
  readonly channels: readonly string[] | null;
  readonly findings: readonly Finding[];
}

/** What names of files and a description say about a data set, before any image is opened. */
export type Draft =
  | (DraftParts & {
      readonly problem: 'segmentation';
      readonly ignore: number | null;
      /** null: whatever values the label maps have. */
      readonly labels: readonly LabelClass[] | null;
      readonly cases: readonly SegmentationCase[];
    })
  | (DraftParts & {
      readonly problem: 'classification';
      readonly labels: readonly LabelClass[];
      readonly cases: readonly ClassificationCase[];
    });

/** The classes of exclusive labels, with the background that all have. */
export const background: LabelClass = { name: 'background', values: [0] };

/** Names that mean the same side of a split. */
const splitWords: Readonly<Record<string, 'train' | 'validation' | 'test'>> = {
  train: 'train',
  training: 'train',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  dev: 'validation',
  test: 'test',
  testing: 'test',
};

/** The side of a split that a word means, in any case; undefined where it means none. */
export function splitOf(word: string): 'train' | 'validation' | 'test' | undefined {
  return splitWords[word.trim().toLowerCase()];
}

/**
 * Reads a JSON file of a data set and checks its form.
 * @throws UnimissError('data') that says where it is wrong
 */
export async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readListing(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UnimissError('data', `is not valid JSON (${messageOf(error).replace(/, .*|in JSON.*/s, '')})`, {
      place: file,
      remedy: 'Correct it, for example with an editor that checks JSON.',
      cause: error,
    });
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const lines = checked.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`);
  throw new UnimissError('data', `is not the description of a data set (${lines.slice(0, 5).join('; ')})`, {
    place: file,
    remedy: 'Compare it with docs/datasets.md.',
  });
}

/** What a picture's or volume's size decides where no description does. */
export function channelNames(modality: Modality, given: readonly string[] | null, files: number): readonly string[] {
  if (modality === '2D' && files <= 1 && (given === null || given.length === 1 || given.length === 3))
    return given?.length === 3 ? given : ['red', 'green', 'blue'];
  return given ?? Array.from({ length: Math.max(1, files) }, (_, i) => (files > 1 ? `channel ${i}` : 'image'));
}

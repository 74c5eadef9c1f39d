import { z } from 'zod';
import { UnimissError } from '../../../../../protocol/errors.ts';
import type { LabelClass } from '../types.ts';
import { background } from './draft.ts';

/** Names of labels with their value, or a list of values: `{"background": 0, "liver": 1, "tumour and liver": [1, 2], "ignore": 3}`. */
export const namedValues = z.record(z.string().min(1), z.union([z.int().min(0), z.array(z.int().min(0)).min(1)]));

export interface LabelClasses {
  /** Exclusive: background first. Regions: without it. */
  readonly labels: LabelClass[];
  readonly ignore: number | null;
  readonly exclusive: boolean;
}

/**
 * Classes from their names. Where one is a list they are regions, which may overlap. The label `ignore` counts for nothing.
 * @param place for messages
 * @throws UnimissError('data'): a value twice, or nothing but background
 */
export function labelClasses(given: z.infer<typeof namedValues>, place: string): LabelClasses {
  const { ignore, ...others } = given;
  const all = Object.entries(others).map(([name, value]): LabelClass => ({ name, values: listOf(value) }));
  const isBackground = ({ values }: LabelClass) => values.length === 1 && values[0] === 0;
  const foreground = all.filter((label) => !isBackground(label));
  const exclusive = Object.values(others).every((value) => typeof value === 'number');
  const values = foreground.flatMap((label) => label.values);
  const twice = exclusive ? values.find((value, i) => values.indexOf(value) !== i) : undefined;
  if (twice !== undefined)
    throw new UnimissError('data', `gives the value ${twice} to two labels`, {
      place,
      remedy: 'Give each label its own value, or write regions as lists of values.',
    });
  if (foreground.length === 0)
    throw new UnimissError('data', 'has no label but the background', {
      place,
      remedy: 'Write a value for each structure, as {"background": 0, "liver": 1}.',
    });
  const labels = exclusive ? [all.find(isBackground) ?? background, ...foreground] : foreground;
  return { labels, ignore: ignore === undefined ? null : (listOf(ignore)[0] ?? null), exclusive };
}

function listOf(value: number | readonly number[]): readonly number[] {
  return typeof value === 'number' ? [value] : [...value];
}

/** What differs in a run from scratch. */
const fromScratch: readonly (readonly [field: string, value: unknown])[] = [
  ['start.from', null],
  ['train.freeze', 'none'],
  ['train.headFirstEpochs', 0],
];

/**
 * The fields of a fine-tuning's twin from scratch: the same run without pre-trained weights, for comparison.
 * @param id name of the run whose twin it is
 * @param name the name in that run's configuration
 */
export function twinFields({ id, name }: { id: string; name: string }): readonly (readonly [string, unknown])[] {
  const suffix = '-scratch';
  return [...fromScratch, ['start.twinOf', id], ['name', `${name.slice(0, 64 - suffix.length)}${suffix}`]];
}

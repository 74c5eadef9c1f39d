import type { FinetuneConfig } from '../../../../protocol/config/index.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import type { Split } from '../../../data/datasets/labelled/split/split.ts';

/**
 * Ids of the cases for training and for validation.
 * @param place where the split is from, for messages
 * @throws UnimissError 'data' where the split has no such fold
 */
export function sidesOf(
  fold: FinetuneConfig['data']['fold'],
  { folds }: Split,
  place: string,
): [readonly string[], readonly string[]] {
  if (fold === 'all') {
    const all = [...new Set(folds.flatMap(({ train, validation }) => [...train, ...validation]))];
    return [all, all];
  }
  const chosen = folds[fold];
  if (chosen) return [chosen.train, chosen.validation];
  const [has, most] =
    folds.length === 1
      ? ['fold 0 only', '0']
      : [`${folds.length} folds, which count from 0`, `at most ${folds.length - 1}`];
  throw new UnimissError('data', `there is no fold ${fold}: the split has ${has}`, {
    place,
    remedy: `Set data.fold to ${most}.`,
  });
}

import { setField } from '../../protocol/config/makeConfig.ts';
import { isObject } from '../../protocol/json.ts';

/** A configuration with a quarter of the run's learning rate. @param resolved the run's settings with every choice made */
export function withLowerRate(text: string, resolved: unknown): string {
  const train = isObject(resolved) ? resolved.train : undefined;
  const rate = isObject(train) ? train.lr : undefined;
  return typeof rate === 'number' ? setField(text, ['train', 'lr'], Number((rate / 4).toPrecision(3))) : text;
}

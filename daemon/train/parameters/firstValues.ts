import { Random } from '../../data/random.ts';
import { initialValues } from '../../model/initialize.ts';
import type { ParameterSpec } from '../../model/parameters.ts';

/** First values of a parameter, in the reference's layout. */
export type FirstValues = (spec: ParameterSpec) => Float32Array;

/** First values from a seed. The values of a parameter depend on its name and shape, not on other parameters. */
export function seededValues(seed: number): FirstValues {
  return (spec) => {
    const random = new Random(seed, 'parameter', spec.name);
    return initialValues(spec, () => random.uniform(0, 1));
  };
}

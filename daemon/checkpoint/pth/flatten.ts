import { PthProblem, quoted } from './problem.ts';
import { Namespace, type PickleValue, StoredTensor, Tuple } from './values.ts';

/** Scalars of a file: texts, numbers, true and false. */
export type Scalar = string | number | boolean | bigint | null;

export interface Flattened {
  /** By their keys, with dots between: `student.module.head.mlp.0.weight`. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly scalars: ReadonlyMap<string, Scalar>;
}

const deepest = 32;
const longestName = 1000;
/** Checkpoints of large models have some thousands of tensors, and with their optimiser ten times as many values. */
const mostValues = 1_000_000;

/**
 * The tensors and scalars in a value, by name. Values that the file uses in several places have several names; a file of which
 * that would make too many, or which contains itself, is refused.
 * @throws PthProblem
 */
export function flatten(value: PickleValue): Flattened {
  const tensors = new Map<string, StoredTensor>();
  const scalars = new Map<string, Scalar>();
  let count = 0;
  const put = <T>(map: Map<string, T>, name: string, found: T): void => {
    if (tensors.has(name) || scalars.has(name)) throw new PthProblem(`the name ${quoted(name)} appears twice`);
    map.set(name, found);
  };
  const walk = (found: PickleValue, name: string, depth: number): void => {
    if (++count > mostValues) throw new PthProblem(`it has more than ${mostValues} values`);
    if (found instanceof StoredTensor) {
      put(tensors, name, found);
      return;
    }
    const children = childrenOf(found);
    if (!children) {
      if (isScalar(found)) put(scalars, name, found);
      return;
    }
    if (depth === deepest)
      throw new PthProblem(`its values are nested more than ${deepest} deep, or contain themselves`);
    for (const [key, child] of children) {
      const text = String(key);
      if (name.length + text.length >= longestName)
        throw new PthProblem(`a name is longer than ${longestName} characters`);
      walk(child, name === '' ? text : `${name}.${text}`, depth + 1);
    }
  };
  walk(value, '', 0);
  return { tensors, scalars };
}

function childrenOf(value: PickleValue): Iterable<readonly [unknown, PickleValue]> | undefined {
  if (value instanceof Map) return value;
  if (value instanceof Namespace) return value.fields ?? [];
  if (value instanceof Tuple) return value.items.entries();
  return Array.isArray(value) ? value.entries() : undefined;
}

function isScalar(value: PickleValue): value is Scalar {
  return value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
}

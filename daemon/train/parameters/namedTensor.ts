import { UnimissError } from '../../../protocol/errors.ts';

/** One tensor of a checkpoint, in the reference's layout. Its values are read on request. */
export interface NamedTensor {
  /** `<role>.<parameter>`, such as `student.head.mlp.0.weight`, or a name of its own, such as `center`. */
  readonly name: string;
  readonly shape: readonly number[];
  read(): Float32Array;
}

/** Values of a checkpoint's tensor, in the reference's layout; undefined if it has none of this name. */
export type ReadTensor = (name: string) => Promise<Float32Array | undefined> | Float32Array | undefined;

/**
 * The values of a tensor that a checkpoint must have.
 * @throws UnimissError 'checkpoint' if it is missing or has another number of values
 */
export async function readRequired(read: ReadTensor, name: string, shape: readonly number[]): Promise<Float32Array> {
  const data = await read(name);
  const size = shape.reduce((all, length) => all * length, 1);
  if (data?.length === size) return data;
  throw new UnimissError(
    'checkpoint',
    data ? `has ${data.length} values, but the model needs ${size} ([${shape.join(', ')}])` : 'is missing',
    { place: name, remedy: 'Load it into a model with the same preset, sizes and head.' },
  );
}

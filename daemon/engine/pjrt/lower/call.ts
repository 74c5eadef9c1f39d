import type { Attrs } from '../../attributes.ts';
import { DataType, type DTypeName } from '../../dataType.ts';
import { isList } from '../../isList.ts';
import type { Builder, Value } from './builder.ts';

/** One op of the trace, with its operands as values of the module. */
export class Call {
  private readonly asked = new Set<string>();

  constructor(
    readonly type: string,
    private readonly inputs: readonly (Value | readonly Value[])[],
    private readonly attrs: Attrs,
  ) {}

  /** Operand number `i`. */
  tensor(i: number): Value {
    const input = this.inputs[i];
    if (!input || isList(input)) throw new Error(`operand ${i} is missing`);
    return input;
  }

  /** Operand number `i`, which is a list. */
  list(i: number): readonly Value[] {
    const input = this.inputs[i];
    if (!input || !isList(input)) throw new Error(`operand ${i} is no list`);
    return input;
  }

  /** Number of operands. */
  get count(): number {
    return this.inputs.length;
  }

  /** Operand number `i`, whose integers must be known while tracing (axes, shapes). */
  integers(i: number): number[] {
    const { constant, shape } = this.tensor(i);
    if (!constant) throw new Error(`operand ${i} must be a constant`);
    const values = Array.from(constant as ArrayLike<number | bigint>, Number);
    const size = shape.reduce((a, b) => a * b, 1);
    return values.length === 1 && size > 1 ? new Array<number>(size).fill(values[0] ?? 0) : values;
  }

  /** Operand number `i`, one integer known while tracing. */
  integer(i: number): number {
    const [value] = this.integers(i);
    if (value === undefined) throw new Error(`operand ${i} is empty`);
    return value;
  }

  bool(name: string, otherwise = false): boolean {
    const attr = this.attr(name);
    return attr && 'bool' in attr ? attr.bool : otherwise;
  }

  int(name: string, otherwise = 0): number {
    const attr = this.attr(name);
    return attr && 'int' in attr ? attr.int : otherwise;
  }

  float(name: string, otherwise = 0): number {
    const attr = this.attr(name);
    return attr && 'float' in attr ? attr.float : otherwise;
  }

  ints(name: string): readonly number[] {
    const attr = this.attr(name);
    return attr && 'ints' in attr ? attr.ints : [];
  }

  string(name: string, otherwise: string): string {
    const attr = this.attr(name);
    return attr && 'string' in attr ? attr.string : otherwise;
  }

  dtype(name: string, otherwise: DTypeName): number {
    const attr = this.attr(name);
    return DataType[attr && 'type' in attr ? attr.type : otherwise];
  }

  /** Refuses attributes that the lowering did not look at: they would change the op's meaning unseen. */
  checkAttributes(): void {
    for (const [name, attr] of Object.entries(this.attrs)) {
      if (this.asked.has(name) || typesOfOperands.has(name)) continue;
      throw new Error(`attribute "${name}" (${JSON.stringify(attr)}) is not supported`);
    }
  }

  private attr(name: string) {
    this.asked.add(name);
    return this.attrs[name];
  }
}

/** Attributes that repeat the types of operands. */
const typesOfOperands = new Set([
  'T',
  'Tidx',
  'Tshape',
  'Tpaddings',
  'Tlen',
  'Index',
  'Tmultiples',
  'Tperm',
  'Tindices',
  'Tparams',
  'Taxis',
  'dtype',
  'index_type',
  'SrcT',
  'TI',
  'Tdim',
  'out_type',
  'num_split',
  'N',
]);

/** Writes one op. @returns its outputs; none for an op that only has an effect */
export type Lowering = (b: Builder, call: Call) => readonly Value[];

/** Ops of TensorFlow by name, and how each is written. */
export type Family = Readonly<Record<string, Lowering>>;

/** Axes counted from the end as axes counted from the start. */
export function axesOf(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
}

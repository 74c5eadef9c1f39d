import { DataType, dtypeName, sizeOf } from '../../dataType.ts';
import { elementTypeOf, type HostArray, isFloat } from '../elementType.ts';

/** A tensor in the module: a name, or a constant that is written when an op first needs it. */
export interface Value {
  /** Such as `%12`; undefined for a constant. */
  readonly name?: string;
  readonly dtype: number;
  readonly shape: readonly number[];
  /** Values of a constant, in C order. One value stands for any number of equal ones. */
  readonly constant?: HostArray;
}

/** Bytes that no device has. Above 2⁶³ XLA's products of lengths overflow, which ends the process. */
const TOO_MANY_BYTES = 2 ** 50;

/** `tensor<2x3xf32>` */
export function typeOf({ dtype, shape }: Pick<Value, 'dtype' | 'shape'>): string {
  const type = elementTypeOf(dtype);
  if (!type) throw new Error(`StableHLO has no ${dtypeName(dtype)}`);
  if (sizeOf(shape) * type.bytes >= TOO_MANY_BYTES)
    throw new Error(`${dtypeName(dtype)}[${shape}] has more bytes than any memory`);
  return `tensor<${shape.map((length) => `${length}x`).join('')}${type.mlir}>`;
}

/** `[1, 2]` */
export function listed(values: readonly number[]): string {
  return `[${values.join(', ')}]`;
}

export type ProductPrecision = 'DEFAULT' | 'HIGHEST';
/** What matrix products and convolutions multiply. */
export type FactorType = 'float32' | 'bfloat16';

/** Writes the body of a StableHLO function, one op a line. StableHLO never broadcasts: `broadcast` does. */
export class Builder {
  readonly lines: string[] = [];
  private names = 0;
  private readonly written = new Map<string, string>();

  /**
   * @param precision of products of float32: HIGHEST, or DEFAULT, which is TensorFloat-32 on a GPU
   * @param factors type to which products of float32 round their factors
   */
  constructor(
    readonly precision: ProductPrecision = 'HIGHEST',
    private readonly factors: FactorType = 'float32',
  ) {}

  /** A factor of a product, rounded to the type that the module multiplies. */
  factor(x: Value): Value {
    return x.dtype === DataType.float32 ? this.convert(x, DataType[this.factors]) : x;
  }

  /** A name that no other value has. */
  fresh(): string {
    return `%${this.names++}`;
  }

  /** The name of a value; writes constants. */
  use(value: Value): string {
    if (value.name !== undefined) return value.name;
    // A repeated number as a broadcast: XLA would keep every element of a constant.
    if (value.constant?.length === 1 && value.shape.length > 0) {
      const scalar = { dtype: value.dtype, shape: [], constant: value.constant };
      return this.once(
        `stablehlo.broadcast_in_dim ${this.use(scalar)}, dims = [] : (${typeOf(scalar)}) -> ${typeOf(value)}`,
      );
    }
    return this.once(`stablehlo.constant dense<${literal(value)}> : ${typeOf(value)}`);
  }

  /** Adds a line unless it is there already. @returns the name of its value */
  private once(text: string): string {
    const known = this.written.get(text);
    if (known) return known;
    const name = this.fresh();
    this.lines.push(`${name} = ${text}`);
    this.written.set(text, name);
    return name;
  }

  /** Adds a line that makes a value. @param text the op after the equals sign */
  add(result: Pick<Value, 'dtype' | 'shape'>, text: string): Value {
    const name = this.fresh();
    this.lines.push(`${name} = ${text}`);
    return { name, dtype: result.dtype, shape: [...result.shape] };
  }

  /** `stablehlo.OP %a, %b : T`, for operands and a result of one type. */
  same(op: string, ...operands: readonly [Value, ...Value[]]): Value {
    const [first] = operands;
    return this.add(first, `${op} ${operands.map((x) => this.use(x)).join(', ')} : ${typeOf(first)}`);
  }

  /** The shape to which two shapes broadcast, as in NumPy. */
  commonShape(a: readonly number[], b: readonly number[]): number[] {
    const rank = Math.max(a.length, b.length);
    return Array.from({ length: rank }, (_, i) => {
      const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
      if (x !== y && x !== 1 && y !== 1) throw new Error(`[${a}] and [${b}] do not broadcast`);
      return x === 1 ? y : x;
    });
  }

  /** A value repeated to a shape, whose last axes are its own or of length 1 in it. */
  broadcast(x: Value, shape: readonly number[]): Value {
    if (`${x.shape}` === `${shape}`) return x;
    if (x.constant && x.constant.length === 1) return { ...x, shape: [...shape] };
    const first = shape.length - x.shape.length;
    return this.along(
      x,
      x.shape.map((_, i) => first + i),
      shape,
    );
  }

  /** A value whose axis i becomes axis `axes[i]` of a shape; it is repeated along the other axes. */
  along(x: Value, axes: readonly number[], shape: readonly number[]): Value {
    if (x.constant && x.constant.length === 1) return { ...x, shape: [...shape] };
    const result = { dtype: x.dtype, shape };
    const text = `stablehlo.broadcast_in_dim ${this.use(x)}, dims = ${listed(axes)} : (${typeOf(x)}) -> ${typeOf(result)}`;
    return this.add(result, text);
  }

  /** Two values in their common shape. */
  together(a: Value, b: Value): [Value, Value] {
    const shape = this.commonShape(a.shape, b.shape);
    return [this.broadcast(a, shape), this.broadcast(b, shape)];
  }

  /** A scalar constant repeated to the shape and type of another value. */
  like(x: Pick<Value, 'dtype' | 'shape'>, number: number): Value {
    return { dtype: x.dtype, shape: [...x.shape], constant: hostScalar(x.dtype, number) };
  }

  /** A constant tensor. */
  constant(dtype: number, shape: readonly number[], values: HostArray): Value {
    return { dtype, shape: [...shape], constant: values };
  }

  reshape(x: Value, shape: readonly number[]): Value {
    if (`${x.shape}` === `${shape}`) return x;
    if (x.constant) return { ...x, shape: [...shape] };
    const result = { dtype: x.dtype, shape };
    return this.add(result, `stablehlo.reshape ${this.use(x)} : (${typeOf(x)}) -> ${typeOf(result)}`);
  }

  /** Axis `order[i]` at place i. */
  transpose(x: Value, order: readonly number[]): Value {
    if (order.every((axis, i) => axis === i)) return x;
    const result = { dtype: x.dtype, shape: order.map((axis) => x.shape[axis] ?? 1) };
    return this.add(
      result,
      `stablehlo.transpose ${this.use(x)}, dims = ${listed(order)} : (${typeOf(x)}) -> ${typeOf(result)}`,
    );
  }

  convert(x: Value, dtype: number): Value {
    if (x.dtype === dtype) return x;
    const result = { dtype, shape: x.shape };
    return this.add(result, `stablehlo.convert ${this.use(x)} : (${typeOf(x)}) -> ${typeOf(result)}`);
  }

  /** Elements from `begin` to before `end`, every `strides`-th. */
  slice(
    x: Value,
    begin: readonly number[],
    end: readonly number[],
    strides: readonly number[] = begin.map(() => 1),
  ): Value {
    const shape = begin.map((b, i) => Math.max(0, Math.ceil(((end[i] ?? 0) - b) / (strides[i] ?? 1))));
    const whole = strides.every((s) => s === 1) && `${shape}` === `${x.shape}`;
    if (whole) return x;
    const ranges = begin.map((b, i) => `${b}:${end[i]}:${strides[i]}`).join(', ');
    const result = { dtype: x.dtype, shape };
    return this.add(result, `stablehlo.slice ${this.use(x)} [${ranges}] : (${typeOf(x)}) -> ${typeOf(result)}`);
  }

  /** Element by element: `GE`, `GT`, `LE`, `LT`, `EQ` or `NE`; the result is bool. */
  compare(direction: string, a: Value, b: Value): Value {
    const [x, y] = this.together(a, b);
    const kind = isFloat(x.dtype)
      ? 'FLOAT'
      : x.dtype === DataType.bool || x.dtype === DataType.uint8
        ? 'UNSIGNED'
        : 'SIGNED';
    const result = { dtype: DataType.bool, shape: x.shape };
    const text = `stablehlo.compare ${direction}, ${this.use(x)}, ${this.use(y)}, ${kind} : (${typeOf(x)}, ${typeOf(y)}) -> ${typeOf(result)}`;
    return this.add(result, text);
  }

  /** `yes` where `condition`, else `no`; all in the shape of `yes`. */
  select(condition: Value, yes: Value, no: Value): Value {
    const flags = this.broadcast(condition, yes.shape);
    const text = `stablehlo.select ${this.use(flags)}, ${this.use(yes)}, ${this.use(no)} : ${typeOf(flags)}, ${typeOf(yes)}`;
    return this.add(yes, text);
  }

  /** 0, 1, 2, … along an axis. */
  iota(dtype: number, shape: readonly number[], axis: number): Value {
    const result = { dtype, shape };
    return this.add(result, `stablehlo.iota dim = ${axis} : ${typeOf(result)}`);
  }

  /** Joins values along an axis. */
  concatenate(parts: readonly Value[], axis: number): Value {
    const [first] = parts;
    if (!first) throw new Error('nothing to join');
    if (parts.length === 1) return first;
    const length = parts.reduce((sum, part) => sum + (part.shape[axis] ?? 0), 0);
    const result = { dtype: first.dtype, shape: first.shape.map((n, i) => (i === axis ? length : n)) };
    const text = `stablehlo.concatenate ${parts.map((x) => this.use(x)).join(', ')}, dim = ${axis} : (${parts.map(typeOf).join(', ')}) -> ${typeOf(result)}`;
    return this.add(result, text);
  }

  /** Reduces axes away: `add`, `maximum`, `minimum`, `multiply`, `and`, `or`, beginning with `initial`. */
  reduce(op: string, x: Value, axes: readonly number[], initial: number): Value {
    if (axes.length === 0) return x;
    const start = this.like({ dtype: x.dtype, shape: [] }, initial);
    const result = { dtype: x.dtype, shape: x.shape.filter((_, i) => !axes.includes(i)) };
    const text = `stablehlo.reduce(${this.use(x)} init: ${this.use(start)}) applies stablehlo.${op} across dimensions = ${listed(axes)} : (${typeOf(x)}, ${typeOf(start)}) -> ${typeOf(result)}`;
    return this.add(result, text);
  }

  /** The same value, computed after `first`. XLA neither moves nor merges ops across this. */
  barrier(x: Value, first: readonly Value[]): Value {
    const all = [x, ...first];
    const name = this.fresh();
    const text = `stablehlo.optimization_barrier ${all.map((v) => this.use(v)).join(', ')} : ${all.map(typeOf).join(', ')}`;
    this.lines.push(`${name}:${all.length} = ${text}`);
    return { name: `${name}#0`, dtype: x.dtype, shape: x.shape };
  }
}

/** One value of a type. @throws Error for a type without constants here */
export function hostScalar(dtype: number, value: number): HostArray {
  switch (dtype) {
    case DataType.float32:
      return Float32Array.of(value);
    case DataType.float64:
      return Float64Array.of(value);
    case DataType.int32:
      return Int32Array.of(value);
    case DataType.int64:
      return BigInt64Array.of(BigInt(value));
    case DataType.bfloat16:
      return Uint16Array.of(new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16);
    case DataType.bool:
    case DataType.uint8:
      return Uint8Array.of(value);
    default:
      throw new Error(`constants of ${dtypeName(dtype)} are not supported`);
  }
}

/** The values of a constant, exactly: floats as their bits, many values as hexadecimal bytes. */
function literal({ dtype, shape, constant }: Value): string {
  if (!constant) throw new Error('a value has neither name nor constant');
  const count = sizeOf(shape);
  if (count === 0) return '';
  if (constant.length === 1) return scalarLiteral(dtype, constant);
  if (constant.length !== count) throw new Error(`${constant.length} values for [${shape}]`);
  if (dtype === DataType.bool)
    return nested(
      Array.from(constant as Uint8Array, (x) => (x ? 'true' : 'false')),
      shape,
    );
  const bytes = Buffer.from(constant.buffer, constant.byteOffset, constant.byteLength);
  return `"0x${bytes.toString('hex').toUpperCase()}"`;
}

function scalarLiteral(dtype: number, constant: HostArray): string {
  if (dtype === DataType.bool) return constant[0] ? 'true' : 'false';
  if (!isFloat(dtype)) return `${constant[0]}`;
  const bytes = Buffer.from(new Uint8Array(constant.buffer, constant.byteOffset, constant.byteLength)).reverse(); // a copy
  const bits = bytes.toString('hex').toUpperCase();
  return `0x${bits}`;
}

/** Words in C order, in nested lists of a shape. */
function nested(words: readonly string[], shape: readonly number[]): string {
  let next = 0;
  const level = (axis: number): string =>
    axis === shape.length
      ? (words[next++] ?? '')
      : `[${Array.from({ length: shape[axis] ?? 0 }, () => level(axis + 1)).join(', ')}]`;
  return level(0);
}

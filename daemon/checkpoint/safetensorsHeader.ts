import { type Node, type ParseError, parseTree } from 'jsonc-parser';

/**
 * The header of a safetensors file: 8 bytes with its length (little-endian), then JSON with each tensor's type, shape and place
 * in the data that follow (https://huggingface.co/docs/safetensors). The reader is strict: it refuses whatever does not fit
 * exactly.
 */

/** Bytes per element; the keys are the format's names of types. */
export const dtypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;
export type Dtype = keyof typeof dtypeBytes;

export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  /** Sizes in C order; [] for a scalar. */
  readonly shape: readonly number[];
}

export interface PlacedTensor extends TensorInfo {
  /** Place in the data (from the end of the header), bytes. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their data. */
  readonly tensors: readonly PlacedTensor[];
}

/** The longest header that the format's own readers accept. */
export const longestHeader = 100_000_000;

/** Elements × bytes of an element. Throws RangeError if a size is not a whole number or the product is beyond 2^53. */
export function byteLength({ name, dtype, shape }: TensorInfo): number {
  const bytes = shape.reduce((product, size) => {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`"${name}": ${size} is not a size`);
    return product * size;
  }, dtypeBytes[dtype]);
  if (!Number.isSafeInteger(bytes)) throw new RangeError(`"${name}": [${shape.join(', ')}] is too large`);
  return bytes;
}

/** Places tensors one after the other, in their order. */
export function place(tensors: readonly TensorInfo[]): PlacedTensor[] {
  let begin = 0;
  return tensors.map((info) => {
    const end = begin + byteLength(info);
    const placed = { name: info.name, dtype: info.dtype, shape: [...info.shape], begin, end };
    begin = end;
    return placed;
  });
}

/** The file up to the data: length and JSON, padded with spaces so that the data start at a multiple of 8. Throws RangeError. */
export function encodeHeader({ metadata, tensors }: Header): Buffer {
  const entries = tensors.map(({ name, dtype, shape, begin, end }) => {
    if (name === '__metadata__') throw new RangeError('a tensor cannot be named "__metadata__"');
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`;
  });
  if (new Set(tensors.map((t) => t.name)).size !== tensors.length)
    throw new RangeError('two tensors have the same name');
  const json = Buffer.from(`{${[`"__metadata__":${JSON.stringify(metadata)}`, ...entries].join(',')}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > longestHeader) throw new RangeError(`a header of ${padded} bytes is longer than the format allows`);
  const bytes = Buffer.alloc(8 + padded, ' ');
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, 8);
  return bytes;
}

/**
 * Reads the JSON of a header whose data are `dataLength` bytes long. Throws RangeError that names the problem: not JSON, a
 * repeated name, unknown type, a shape that does not fit its place, holes, overlaps, data too short or too long.
 */
export function decodeHeader(json: string, dataLength: number): Header {
  const errors: ParseError[] = [];
  const tree = json.startsWith('{')
    ? parseTree(json, errors, { disallowComments: true, allowTrailingComma: false })
    : undefined;
  if (tree === undefined || errors.length > 0) throw new RangeError('the header is not JSON');
  const names = new Set<string>();
  let metadata: Readonly<Record<string, string>> = {};
  const tensors: PlacedTensor[] = [];
  for (const [name, value] of entriesOf(tree)) {
    if (names.has(name)) throw new RangeError(`"${name}" appears twice`);
    names.add(name);
    if (name === '__metadata__') metadata = decodeMetadata(value);
    else tensors.push(decodeTensor(name, value));
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const tensor of tensors) {
    if (tensor.begin < end) throw new RangeError(`the data of "${tensor.name}" overlap the data of another tensor`);
    if (tensor.begin > end) throw new RangeError(`there is a gap before the data of "${tensor.name}"`);
    end = tensor.end;
  }
  if (end > dataLength) throw new RangeError(`it ends after ${dataLength} of ${end} bytes of data`);
  if (end < dataLength) throw new RangeError(`${dataLength - end} bytes of data belong to no tensor`);
  return { metadata, tensors };
}

function entriesOf(node: Node): [name: string, value: Node][] {
  if (node.type !== 'object') throw new RangeError('an object was expected in the header');
  return (node.children ?? []).map(({ children }) => [children![0]!.value as string, children![1]!]);
}

function decodeMetadata(node: Node): Record<string, string> {
  const entries = entriesOf(node).map(([key, { value }]): [string, string] => {
    if (typeof value !== 'string') throw new RangeError(`metadata "${key}" is not a string`);
    return [key, value];
  });
  if (new Set(entries.map(([key]) => key)).size !== entries.length) throw new RangeError('metadata appear twice');
  return Object.fromEntries(entries);
}

function decodeTensor(name: string, node: Node): PlacedTensor {
  const fields = new Map(entriesOf(node));
  const dtype: unknown = fields.get('dtype')?.value;
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypeBytes, dtype))
    throw new RangeError(`"${name}" has the unknown type ${JSON.stringify(dtype)}`);
  const shape = numbersOf(name, fields.get('shape'));
  const [begin, end, ...more] = numbersOf(name, fields.get('data_offsets'));
  if (begin === undefined || end === undefined || more.length > 0 || begin > end)
    throw new RangeError(`the data offsets of "${name}" are not [begin, end]`);
  const info: TensorInfo = { name, dtype: dtype as Dtype, shape };
  const bytes = byteLength(info);
  if (end - begin !== bytes)
    throw new RangeError(`"${name}", ${dtype} [${shape.join(', ')}], needs ${bytes} bytes but has ${end - begin}`);
  return { ...info, begin, end };
}

function numbersOf(name: string, node: Node | undefined): number[] {
  if (node?.type !== 'array') throw new RangeError(`"${name}" lacks its shape or its data offsets`);
  return (node.children ?? []).map(({ value }) => {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`"${name}": ${value} is not a size or an offset`);
    return value as number;
  });
}

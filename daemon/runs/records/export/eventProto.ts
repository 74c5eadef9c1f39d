/**
 * Encodes the messages of TensorBoard's event files that we write (tensorflow/core/util/event.proto, …/framework/summary.proto):
 * Event {wall_time = 1 double, step = 2 int64, file_version = 3 string, summary = 5 Summary}, Summary {value = 1 repeated}, Value
 * {tag = 1 string, simple_value = 2 float}.
 */
export interface Scalar {
  tag: string;
  value: number;
}

const varintType = 0;
const doubleType = 1;
const bytesType = 2;
const floatType = 5;

/** `wallTime` in seconds since 1970. */
export function encodeVersionEvent(wallTime: number): Buffer {
  return Buffer.concat([double(1, wallTime), bytes(3, Buffer.from('brain.Event:2'))]);
}

export function encodeScalarEvent(wallTime: number, step: number, scalars: readonly Scalar[]): Buffer {
  const values = scalars.map(({ tag, value }) =>
    bytes(1, Buffer.concat([bytes(1, Buffer.from(tag)), float(2, value)])),
  );
  return Buffer.concat([double(1, wallTime), key(2, varintType), varint(step), bytes(5, Buffer.concat(values))]);
}

/** A whole number from 0 to 2^53 in groups of 7 bits, the lowest first. */
function varint(value: number): Buffer {
  const groups: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) groups.push((rest % 128) | 128);
  return Buffer.from([...groups, rest]);
}

function key(field: number, type: number): Buffer {
  return varint(field * 8 + type);
}

function bytes(field: number, content: Buffer): Buffer {
  return Buffer.concat([key(field, bytesType), varint(content.length), content]);
}

function double(field: number, value: number): Buffer {
  const content = Buffer.alloc(8);
  content.writeDoubleLE(value);
  return Buffer.concat([key(field, doubleType), content]);
}

function float(field: number, value: number): Buffer {
  const content = Buffer.alloc(4);
  content.writeFloatLE(value);
  return Buffer.concat([key(field, floatType), content]);
}

/**
 * The few fields of TensorFlow's ConfigProto (tensorflow/core/protobuf/config.proto) that the engine sets. This file encodes them
 * by hand, since four numbers do not need a protobuf library.
 */
export interface SessionOptions {
  /** Threads for independent ops of one step. */
  interOpThreads: number;
  /** Threads inside one op. */
  intraOpThreads: number;
  /** Number of GPUs TensorFlow may see; 0 hides them. */
  gpus: number;
}

const VARINT = 0;
const BYTES = 2;

export function encodeConfig({ interOpThreads, intraOpThreads, gpus }: SessionOptions): Uint8Array {
  const deviceCount = [...text(1, 'GPU'), ...field(2, VARINT), ...varint(gpus)];
  const gpuOptions = [...field(4, VARINT), 1]; // allow_growth: take memory as needed, and leave the rest to other programs
  return Uint8Array.from([
    ...message(1, deviceCount), // device_count
    ...field(2, VARINT),
    ...varint(intraOpThreads), // intra_op_parallelism_threads
    ...field(5, VARINT),
    ...varint(interOpThreads), // inter_op_parallelism_threads
    ...message(6, gpuOptions), // gpu_options
  ]);
}

function field(number: number, wire: number): number[] {
  return varint((number << 3) | wire);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

function message(number: number, bytes: number[]): number[] {
  return [...field(number, BYTES), ...varint(bytes.length), ...bytes];
}

function text(number: number, value: string): number[] {
  return message(number, [...Buffer.from(value)]);
}

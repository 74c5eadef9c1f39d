/** XLA's debug options that a plugin wants for its executables, by name. */
export type XlaFlags = Readonly<Record<string, boolean | number | string>>;

/**
 * XLA's CompileOptionsProto (xla/pjrt/proto/compile_options.proto): one replica, one partition, and flags. XLA ends the process
 * if the numbers of replicas and partitions are missing, so options are only made here.
 */
export function compileOptions(flags: XlaFlags = {}): Uint8Array {
  const build = [0x20, 1, 0x28, 1]; // num_replicas = 4, num_partitions = 5
  const overrides = Object.entries(flags).flatMap(([name, value]) =>
    field(7, [...field(1, [...Buffer.from(name)]), ...field(2, overrideOf(value))]),
  );
  return Uint8Array.from([...field(3, build), ...overrides]);
}

/** OptionOverrideProto {1 string | 2 bool | 3 int64} */
function overrideOf(value: boolean | number | string): number[] {
  if (typeof value === 'boolean') return [0x10, value ? 1 : 0];
  if (typeof value === 'string') return field(1, [...Buffer.from(value)]);
  return [0x18, ...varint(value)];
}

/** A field of bytes: tag, length, bytes. */
function field(number: number, bytes: readonly number[]): number[] {
  return [(number << 3) | 2, ...varint(bytes.length), ...bytes];
}

/** @param value ≥ 0 */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

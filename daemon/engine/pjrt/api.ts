import { existsSync } from 'node:fs';
import { UnimissError } from '../../../protocol/errors.ts';
import { koffi } from '../../native/native.ts';
import { PjrtError } from './pjrtError.ts';
import { optional, type PjrtFunction, slotOf, TABLE_START } from './slots.ts';

/** A pointer of the C side. 0n is NULL. */
export type Pointer = bigint;

/** A field of an argument struct: a number, a pointer, or memory of ours whose address is meant. */
export type Field = bigint | number | ArrayBufferView;

/** Reads what a call left in its argument struct: the 8-byte slot with this number. */
export type Result = (slot: number) => bigint;

/** Versions of the C API that were tried: 0.81 and 0.115. Later ones only append. */
const OLDEST_MINOR = 81;

/**
 * The table of functions of a PJRT plugin. Every function takes one struct of 8-byte slots, its size first, and returns an error
 * or NULL. The plugin checks little; what it is given is checked here and in client.ts.
 */
export class PjrtApi {
  readonly minor: number;
  /** Bytes of the plugin's table: it tells how many functions there are. */
  readonly size: number;
  private readonly functions = new Map<PjrtFunction, NativeFunction>();

  /** @throws UnimissError 'engine' if the table has another version, or lacks a function */
  constructor(
    /** Path of the plugin, for messages. */
    readonly path: string,
    private readonly table: Pointer,
  ) {
    this.size = Number(koffi.decode(table, 'size_t'));
    const major = koffi.decode(table, MAJOR_OFFSET, 'int') as number;
    this.minor = koffi.decode(table, MAJOR_OFFSET + 4, 'int') as number;
    if (major !== 0 || this.minor < OLDEST_MINOR)
      throw unusable(
        path,
        `it has version ${major}.${this.minor} of PJRT's C API; 0.${OLDEST_MINOR} or newer is needed`,
      );
    const missing = (Object.keys(slotOf) as PjrtFunction[]).filter((name) => !optional.has(name) && !this.has(name));
    if (missing.length > 0) throw unusable(path, `it lacks ${missing.map((name) => `PJRT_${name}`).join(', ')}`);
  }

  /**
   * Loads a plugin for good: koffi unloads libraries when Node ends, under the threads of XLA, unless they are pinned.
   * @throws UnimissError 'engine' if the file is missing, is no plugin, or has another version of the API
   */
  static load(path: string): PjrtApi {
    if (!existsSync(path)) throw unusable(path, 'the file is missing');
    let table: Pointer;
    try {
      const dlopen = koffi.load(null).func('void *dlopen(const char *path, int flags)');
      dlopen(path, RTLD_NOW | RTLD_NODELETE);
      table = koffi.load(path).func('void *GetPjrtApi()')() as Pointer;
    } catch (cause) {
      throw unusable(path, (cause as Error).message, cause);
    }
    if (!table) throw unusable(path, 'it gives no table of functions');
    const api = new PjrtApi(path, table);
    api.call('Plugin_Initialize', 2);
    return api;
  }

  get version(): string {
    return `0.${this.minor}`;
  }

  /** Whether the plugin has the function. */
  has(name: PjrtFunction): boolean {
    const offset = TABLE_START + 8 * slotOf[name];
    return offset + 8 <= this.size && Number(koffi.decode(this.table, offset, 'size_t')) !== 0;
  }

  /**
   * Calls a function.
   * @param slots number of slots of its argument struct
   * @param fields the slots that are given, by number
   * @throws PjrtError with the plugin's words
   */
  call(name: PjrtFunction, slots: number, fields: Readonly<Record<number, Field>> = {}): Result {
    const args = argumentsOf(slots, fields);
    this.check(this.find(name)(args) as Pointer | null, name);
    return resultOf(args);
  }

  /** As `call`, on another thread: the event loop stays free. Memory of `fields` lives until the promise settles. */
  async callAsync(
    name: PjrtFunction,
    slots: number,
    fields: Readonly<Record<number, Field>> = {},
    kept: readonly unknown[] = [],
  ): Promise<Result> {
    const args = argumentsOf(slots, fields);
    const error = await new Promise<Pointer | null>((resolve, reject) => {
      this.find(name).async(args, (failure: unknown, result: Pointer | null) =>
        failure ? reject(failure) : resolve(result),
      );
    });
    this.check(error, name);
    alive(fields, kept);
    return resultOf(args);
  }

  private find(name: PjrtFunction): NativeFunction {
    const known = this.functions.get(name);
    if (known) return known;
    if (!this.has(name)) throw unusable(this.path, `it lacks PJRT_${name}`);
    const pointer = koffi.decode(this.table, TABLE_START + 8 * slotOf[name], 'void *') as Pointer;
    const found = koffi.decode(pointer, prototype) as NativeFunction;
    this.functions.set(name, found);
    return found;
  }

  /** Reads an error, frees it and throws it. */
  private check(error: Pointer | null, name: PjrtFunction): void {
    if (!error) return;
    const message = argumentsOf(5, { 2: error });
    this.find('Error_Message')(message);
    const words = textAt(message[3] ?? 0n, message[4] ?? 0n);
    const code = argumentsOf(4, { 2: error });
    this.find('Error_GetCode')(code);
    this.find('Error_Destroy')(argumentsOf(3, { 2: error }));
    throw new PjrtError(name, Number((code[3] ?? 0n) & 0xffffffffn), words);
  }
}

/** The text at an address, of this many bytes. */
export function textAt(address: Pointer, bytes: bigint): string {
  if (address === 0n || bytes === 0n) return '';
  return Buffer.from(koffi.decode(address, 'uint8_t', Number(bytes)) as Uint8Array).toString('utf8');
}

/** A copy of the bytes at an address, made on another thread: there may be hundreds of millions. */
export async function bytesAtAsync(address: Pointer, bytes: bigint): Promise<Uint8Array> {
  const copy = new Uint8Array(new ArrayBuffer(Number(bytes)));
  if (address === 0n || copy.length === 0) return copy;
  await new Promise<void>((resolve, reject) => {
    memcpy().async(slotsOf([copy])[0], address, bytes, (error: unknown) => (error ? reject(error) : resolve()));
  });
  alive(copy);
  return copy;
}

/** Memory of ours whose address stays: `n` slots of 8 bytes. */
export function slotsOf(values: readonly Field[], least = 1): BigInt64Array {
  const slots = new BigInt64Array(new ArrayBuffer(8 * Math.max(values.length, least)));
  values.forEach((value, i) => {
    slots[i] = asSlot(value);
  });
  return slots;
}

/** Memory of ours with these bytes, whose address stays. */
export function bytesOf(text: string | Uint8Array): Uint8Array {
  const source = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const copy = new Uint8Array(new ArrayBuffer(Math.max(source.length, 1)));
  copy.set(source);
  return copy.subarray(0, source.length);
}

/** Pointers in an array of C's. */
export function pointersAt(address: Pointer, count: number): Pointer[] {
  return Array.from({ length: count }, (_, i) => BigInt(koffi.decode(address, 8 * i, 'uint64_t') as number | bigint));
}

function argumentsOf(slots: number, fields: Readonly<Record<number, Field>>): BigInt64Array {
  const args = slotsOf([], slots);
  args[0] = BigInt(8 * slots);
  for (const [slot, field] of Object.entries(fields)) args[Number(slot)] = asSlot(field);
  return args;
}

function asSlot(field: Field): bigint {
  if (typeof field === 'bigint') return field;
  return typeof field === 'number' ? BigInt(field) : BigInt.asIntN(64, BigInt(koffi.address(field)));
}

function resultOf(args: BigInt64Array): Result {
  return (slot) => args[slot] ?? 0n;
}

/** Keeps memory reachable until here: koffi holds no reference to what C reads. */
function alive(..._memory: readonly unknown[]): void {}

// biome-ignore lint/suspicious/noExplicitAny: koffi's functions take what their prototype says
type NativeFunction = ((args: any) => unknown) & { async: (...args: any[]) => void };

const memcpy = (): NativeFunction => koffi.load(null).func('void *memcpy(uintptr_t to, uintptr_t from, size_t n)');
const prototype = koffi.proto('void *PJRT_Function(void *args)');
const MAJOR_OFFSET = 32;
const RTLD_NOW = 0x2;
const RTLD_NODELETE = 0x1000;

function unusable(path: string, why: string, cause?: unknown): UnimissError {
  return new UnimissError('engine', `this plugin of PJRT cannot be used: ${why}`, {
    place: path,
    remedy: 'Run `unimiss engine doctor`; `unimiss engine install --device` with this device replaces a damaged copy.',
    ...(cause !== undefined && { cause }),
  });
}

import { UnimissError } from '../../../protocol/errors.ts';
import { setNativeEnvironment } from '../../native/environment.ts';
import { koffi } from '../../native/native.ts';
import { sizeOf } from '../dataType.ts';
import type { Device, DeviceMemory } from '../platform.ts';
import { bytesAtAsync, bytesOf, PjrtApi, type Pointer, pointersAt, slotsOf, textAt } from './api.ts';
import { compileOptions, type XlaFlags } from './compileOptions.ts';
import { arrayOf, elementTypeOf, type HostArray } from './elementType.ts';
import { type NamedValueArray, type NamedValues, namedValues } from './namedValues.ts';
import { PjrtError } from './pjrtError.ts';

/** A compiled module on the client's first device. */
export interface Executable {
  readonly loaded: Pointer;
  readonly executable: Pointer;
  readonly outputs: number;
  readonly memory: ExecutableMemory;
}

/** Bytes that an executable will use, known before it runs. */
export interface ExecutableMemory {
  readonly arguments: number;
  readonly outputs: number;
  /** Bytes of outputs that lie where arguments lay. */
  readonly aliased: number;
  readonly temporary: number;
}

/** What was submitted: the buffers of the outputs, and the event of the end. */
export interface Execution {
  readonly made: readonly Pointer[];
  readonly done: Pointer;
}

/** Values on their way from the device: they are there when `done` has happened. */
export interface Copying {
  readonly values: HostArray;
  readonly done: Pointer;
}

/** Type and shape of an array on the device. */
export interface ArrayType {
  readonly dtype: number;
  readonly shape: readonly number[];
}

/** A plugin with its devices. Handles are freed by whoever asked for them; garbage collection would be too late. */
export class PjrtClient {
  readonly devices: readonly Device[];
  /** Name of the platform, such as `cpu` or `cuda`, and its version; `title`: both, once where they are the same. */
  readonly platform: { readonly name: string; readonly version: string; readonly title: string };
  private readonly device: Pointer;
  private readonly client: Pointer;
  /** Kept: the plugin gets the addresses of its texts. */
  private readonly options: NamedValueArray;

  private constructor(
    readonly api: PjrtApi,
    options: NamedValues,
  ) {
    this.options = namedValues(options);
    this.client = api.call('Client_Create', 11, { 2: this.options.values, 3: this.options.count })(8);
    const listed = api.call('Client_AddressableDevices', 5, { 2: this.client });
    const devices = pointersAt(listed(3), Number(listed(4)));
    const [first] = devices;
    if (first === undefined)
      throw new UnimissError('engine', 'this plugin of PJRT finds no device', { place: api.path });
    this.device = first;
    this.devices = devices.map((device, i) => ({ name: `${this.kindOf(device)}:${i}`, type: this.kindOf(device) }));
    const name = this.textOf('Client_PlatformName');
    const version = this.textOf('Client_PlatformVersion');
    this.platform = { name, version, title: [...new Set([name, version])].join(' ').trim() };
  }

  /**
   * Loads a plugin and opens its devices.
   * @param options of this plugin's client
   * @throws UnimissError 'engine' if it cannot be used, PjrtError with its words
   */
  static open(path: string, options: NamedValues = {}): PjrtClient {
    // XLA writes its errors to standard error as well; they are read from the calls.
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
    setNativeEnvironment(['TF_CPP_MIN_LOG_LEVEL']);
    return new PjrtClient(PjrtApi.load(path), options);
  }

  /** Compiles a StableHLO module on another thread. @throws PjrtError with the plugin's words, which may name line and column */
  async compile(text: string, flags: XlaFlags = {}): Promise<Executable> {
    const code = bytesOf(text);
    const format = bytesOf('mlir');
    const program = slotsOf([48, 0, code, code.length, format, format.length]);
    const options = bytesOf(compileOptions(flags));
    const compiled = await this.api.callAsync(
      'Client_Compile',
      7,
      { 2: this.client, 3: program, 4: options, 5: options.length },
      [code, format],
    );
    return this.described(compiled(6));
  }

  /** Whether executables can be kept as bytes. */
  get canSerialize(): boolean {
    return this.api.has('Executable_Serialize') && this.api.has('Executable_DeserializeAndLoad');
  }

  /** An executable as bytes, for `load` in another process, on another thread. @throws PjrtError if the plugin cannot */
  async serialize({ executable }: Executable): Promise<Uint8Array> {
    const made = await this.api.callAsync('Executable_Serialize', 7, { 2: executable });
    try {
      return await bytesAtAsync(made(3), made(4));
    } finally {
      (koffi.decode(made(6), deleter) as (holder: Pointer) => void)(made(5));
    }
  }

  /**
   * The executable in bytes of `serialize`, on another thread.
   * @param bytes not copied: the memory of a Buffer stays where it is
   * @throws PjrtError if the plugin refuses them
   */
  async load(bytes: Buffer): Promise<Executable> {
    const fields = { 2: this.client, 3: bytes, 4: bytes.length };
    return this.described((await this.api.callAsync('Executable_DeserializeAndLoad', 8, fields))(5));
  }

  /** A loaded executable with what it says of itself. It is freed if it does not say it. */
  private described(loaded: Pointer): Executable {
    let executable = 0n;
    try {
      executable = this.api.call('LoadedExecutable_GetExecutable', 4, { 2: loaded })(3);
      const outputs = Number(this.api.call('Executable_NumOutputs', 4, { 2: executable })(3));
      return { loaded, executable, outputs, memory: memoryOf(this.api, executable) };
    } catch (error) {
      this.freeExecutable({ loaded, executable });
      throw error;
    }
  }

  /**
   * Copies values to the device; they are copied when this returns. The plugin reads as many bytes as the shape has, so their
   * number is checked.
   * @returns a buffer, which the caller frees
   */
  put({ dtype, shape }: ArrayType, values: HostArray): Pointer {
    const type = elementTypeOf(dtype);
    if (!type) throw new UnimissError('engine', `PJRT has no tensors of type ${dtype}`, { place: 'tensor' });
    const bytes = sizeOf(shape) * type.bytes;
    if (values.byteLength !== bytes)
      throw new UnimissError(
        'engine',
        `${values.byteLength} bytes given for ${type.mlir}[${shape}], which has ${bytes}`,
        {
          place: 'tensor',
        },
      );
    // An empty array has no address.
    const data = bytes > 0 ? values : new Uint8Array(new ArrayBuffer(8));
    const dims = slotsOf([...shape]);
    const made = this.api.call('Client_BufferFromHostBuffer', 15, {
      2: this.client,
      3: data,
      4: type.pjrt,
      5: dims,
      6: shape.length,
      9: COPIED_DURING_CALL,
      10: this.device,
    });
    const buffer = made(14);
    try {
      this.wait(made(13));
    } catch (error) {
      this.free(buffer);
      throw error;
    }
    return buffer;
  }

  /** A copy of a buffer's values, in C order. */
  fetch({ dtype, shape }: ArrayType, buffer: Pointer): HostArray {
    const target = this.target(dtype, shape);
    if (target.byteLength > 0)
      this.wait(this.api.call('Buffer_ToHostBuffer', 7, { 2: buffer, 4: target, 5: target.byteLength })(6));
    return target;
  }

  /** Begins to copy a buffer's values, which may not be computed yet. The caller waits for `done` in any case (`waitFor`). */
  copy({ dtype, shape }: ArrayType, buffer: Pointer): Copying {
    const values = this.target(dtype, shape);
    if (values.byteLength === 0) return { values, done: 0n };
    const copying = this.api.call('Buffer_ToHostBuffer', 7, { 2: buffer, 4: values, 5: values.byteLength });
    return { values, done: copying(6) };
  }

  /**
   * Submits an execution on another thread and does not wait for its end. Arguments that it aliases are gone afterwards, even if it
   * fails; their handles are freed by the caller, as all others, from now on.
   * @returns the buffers of its outputs, which further executions may get, and its end, for which the caller waits (`waitFor`)
   */
  async submit({ loaded, outputs }: Executable, buffers: readonly Pointer[]): Promise<Execution> {
    const options = slotsOf([112], 14);
    const inputs = slotsOf(buffers);
    const inputLists = slotsOf([inputs]);
    const results = slotsOf([], Math.max(outputs, 1));
    const resultLists = slotsOf([results]);
    const done = slotsOf([], 1);
    await this.api.callAsync(
      'LoadedExecutable_Execute',
      10,
      { 2: loaded, 3: options, 4: inputLists, 5: 1, 6: buffers.length, 7: resultLists, 8: done },
      [inputs, results],
    );
    return { made: [...results.subarray(0, outputs)], done: done[0] ?? 0n };
  }

  /** Waits on another thread for an event, and frees it. @throws PjrtError with the plugin's words if what it stands for failed */
  async waitFor(event: Pointer): Promise<void> {
    if (event === 0n) return;
    try {
      await this.api.callAsync('Event_Await', 3, { 2: event });
    } finally {
      this.api.call('Event_Destroy', 3, { 2: event });
    }
  }

  free(buffer: Pointer): void {
    this.api.call('Buffer_Destroy', 3, { 2: buffer });
  }

  /** Whether an executable took the buffer's memory; the handle still has to be freed. */
  isDeleted(buffer: Pointer): boolean {
    return (this.api.call('Buffer_IsDeleted', 4, { 2: buffer })(3) & 1n) === 1n;
  }

  freeExecutable({ loaded, executable }: Pick<Executable, 'loaded' | 'executable'>): void {
    this.api.call('LoadedExecutable_Destroy', 3, { 2: loaded });
    if (executable !== 0n) this.api.call('Executable_Destroy', 3, { 2: executable });
  }

  /** Bytes of the device in use, at the peak and at most, if the plugin tells. */
  memory(): DeviceMemory | undefined {
    if (!this.api.has('Device_MemoryStats')) return undefined;
    try {
      const stats = this.api.call('Device_MemoryStats', 24, { 2: this.device });
      const told = (slot: number) => (stats(slot) & 1n) === 1n;
      return {
        inUse: Number(stats(3)),
        ...(told(5) && { peak: Number(stats(4)) }),
        ...(told(11) && { limit: Number(stats(10)) }),
      };
    } catch (error) {
      if (error instanceof PjrtError) return undefined; // plugins for CPUs have the function, but no answer
      throw error;
    }
  }

  private target(dtype: number, shape: readonly number[]): HostArray {
    return arrayOf(dtype, new ArrayBuffer(sizeOf(shape) * (elementTypeOf(dtype)?.bytes ?? 0)));
  }

  private kindOf(device: Pointer): string {
    const description = this.api.call('Device_GetDescription', 4, { 2: device })(3);
    const kind = this.api.call('DeviceDescription_Kind', 5, { 2: description });
    return textAt(kind(3), kind(4));
  }

  private textOf(of: 'Client_PlatformName' | 'Client_PlatformVersion'): string {
    const text = this.api.call(of, 5, { 2: this.client });
    return textAt(text(3), text(4));
  }

  private wait(event: Pointer): void {
    if (event === 0n) return;
    try {
      this.api.call('Event_Await', 3, { 2: event });
    } finally {
      this.api.call('Event_Destroy', 3, { 2: event });
    }
  }
}

/** Bytes that an executable will use. */
export function memoryOf(api: PjrtApi, executable: Pointer): ExecutableMemory {
  const stats = api.call('Executable_GetCompiledMemoryStats', 14, { 2: executable });
  return {
    arguments: Number(stats(4)),
    outputs: Number(stats(5)),
    aliased: Number(stats(6)),
    temporary: Number(stats(7)),
  };
}

const deleter = koffi.proto('void PJRT_Deleter(void *holder)');

/** PJRT_HostBufferSemantics_kImmutableOnlyDuringCall */
const COPIED_DURING_CALL = 0;

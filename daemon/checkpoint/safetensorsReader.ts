import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import { readExactly, readInto } from '../files/fully.ts';
import { openRunFile } from '../files/runFile.ts';
import { decodeHeader, type Header, longestHeader, type PlacedTensor } from './safetensorsHeader.ts';
import { checksumKey, chunkBytes, emptyChecksum } from './safetensorsWriter.ts';
import { arrayOf, type TensorFile, type TensorValues } from './tensorFile.ts';

const takeAnother = 'Use another checkpoint. The run folder keeps the previous one.';

/** An open safetensors file; reads tensors one by one on request. Must be closed. */
export class SafetensorsFile implements TensorFile {
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
  private constructor(
    readonly file: string,
    private readonly handle: FileHandle,
    private readonly header: Header,
    private readonly headerBytes: Buffer,
  ) {
    this.tensors = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  }

  /**
   * Opens a file and checks its header.
   * @param within the run folder of the file: no link may lead out of it
   * @throws UnimissError 'checkpoint', which says what does not fit
   */
  static async open(file: string, within?: string): Promise<SafetensorsFile> {
    let handle: FileHandle | undefined;
    try {
      // A pipe must not block the thread; `isFile` refuses it.
      if (within === undefined) handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
      else handle = await openRunFile(file, within);
      if (!handle) throw new RangeError('no such file');
    } catch (cause) {
      throw new UnimissError('checkpoint', `cannot be opened: ${messageOf(cause)}`, {
        place: file,
        remedy: 'Check the path and its permissions.',
        cause,
      });
    }
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw new RangeError('it is not a file');
      if (stat.size < 8) throw new RangeError(`it has only ${stat.size} bytes`);
      const length = Number((await readExactly(handle, 0, 8)).readBigUInt64LE(0));
      if (length > longestHeader || length > stat.size - 8)
        throw new RangeError(`its header would be ${length} bytes long; the file has ${stat.size}`);
      const bytes = await readExactly(handle, 0, 8 + length);
      const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8));
      return new SafetensorsFile(file, handle, decodeHeader(json, stat.size - 8 - length), bytes);
    } catch (cause) {
      await handle.close();
      throw damaged(file, `not a readable safetensors file: ${messageOf(cause)}`, cause);
    }
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.header.metadata;
  }

  /** All values of a tensor, in C order. Throws UnimissError 'checkpoint' if there is no such tensor. */
  async read(name: string): Promise<TensorValues> {
    const tensor = this.required(name);
    const bytes = new ArrayBuffer(tensor.end - tensor.begin);
    await this.readData(Buffer.from(bytes), this.headerBytes.length + tensor.begin);
    return new arrayOf[tensor.dtype](bytes);
  }

  /** As `read`, for a tensor that must be F32, with the given shape if any. */
  async readFloat32(name: string, shape?: readonly number[]): Promise<Float32Array> {
    this.checkFloat32(name, shape);
    return (await this.read(name)) as Float32Array;
  }

  /**
   * Checks the header alone.
   * @throws UnimissError 'checkpoint' if a tensor is missing, not F32, or of another shape
   */
  checkFloat32(name: string, shape?: readonly number[]): void {
    const tensor = this.required(name);
    if (tensor.dtype === 'F32' && (shape === undefined || shape.join() === tensor.shape.join())) return;
    throw new UnimissError(
      'checkpoint',
      `"${name}" is ${tensor.dtype} [${tensor.shape.join(', ')}], not F32${shape === undefined ? '' : ` [${shape.join(', ')}]`}`,
      { place: this.file, remedy: 'The checkpoint must come from the same model preset, sizes and head.' },
    );
  }

  private required(name: string): PlacedTensor {
    const tensor = this.tensors.get(name);
    if (tensor) return tensor;
    throw new UnimissError('checkpoint', `has no tensor "${name}"`, { place: this.file, remedy: takeAnother });
  }

  /**
   * Reads the whole file and compares its checksum. Throws UnimissError 'checkpoint' if it differs, or if the file has none
   * (unless `optional`, for files of other programs).
   */
  async verify({ optional = false } = {}): Promise<void> {
    const expected = this.metadata[checksumKey];
    if (expected === undefined && optional) return;
    if (expected === undefined || !/^[0-9a-f]{64}$/.test(expected)) throw damaged(this.file, 'it has no checksum');
    const blank = Buffer.from(this.headerBytes);
    blank.write(emptyChecksum, blank.indexOf(`"${checksumKey}":"${expected}"`) + checksumKey.length + 4);
    const hash = createHash('sha256').update(blank);
    const { size } = await this.handle.stat();
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let at = blank.length; at < size; at += chunkBytes) {
      const part = chunk.subarray(0, Math.min(chunkBytes, size - at));
      await this.readData(part, at);
      hash.update(part);
    }
    if (hash.digest('hex') !== expected) throw damaged(this.file, 'damaged: its checksum differs from its contents');
  }

  private async readData(bytes: Buffer, position: number): Promise<void> {
    try {
      await readInto(this.handle, bytes, position);
    } catch (cause) {
      throw damaged(this.file, `cannot be read: ${messageOf(cause)}`, cause);
    }
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

function damaged(file: string, what: string, cause?: unknown): UnimissError {
  return new UnimissError('checkpoint', what, { place: file, remedy: takeAnother, cause });
}

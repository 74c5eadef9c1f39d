import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { readExactly } from '../../files/fully.ts';
import { dtypeBytes, type TensorInfo } from '../safetensorsHeader.ts';
import { chunkBytes } from '../safetensorsWriter.ts';
import { arrayOf, type TensorFile, type TensorValues } from '../tensorFile.ts';
import type { Archive } from './archive.ts';
import { flatten, type Scalar } from './flatten.ts';
import { gather, isContiguous } from './gather.ts';
import { isLegacy, openLegacyArchive } from './legacyArchive.ts';
import { extentOf } from './names.ts';
import { PthProblem, quoted } from './problem.ts';
import type { StoredTensor } from './values.ts';
import { openZipArchive } from './zipArchive.ts';

const remedy =
  'If you trust the file, load it in PyTorch and save its state_dict alone: torch.save({"student": model.state_dict()}, "new.pth").';

/**
 * An open file that `torch.save` wrote (.pth, .pt), of any version since PyTorch 0.4. It is read without Python, and none of its code is
 * run. Tensors are named by the keys that lead to them, with dots between, and read one by one when asked for. Must be closed.
 */
export class PthFile implements TensorFile {
  readonly tensors: ReadonlyMap<string, TensorInfo>;

  private constructor(
    readonly file: string,
    private readonly handle: FileHandle,
    private readonly archive: Archive,
    private readonly views: ReadonlyMap<string, StoredTensor>,
    /** Texts and numbers beside the tensors, by name: `epoch`, `args.arch`, … */
    readonly scalars: ReadonlyMap<string, Scalar>,
  ) {
    this.tensors = new Map(
      [...views].map(([name, { dtype, shape }]) => [name, { name, dtype, shape } satisfies TensorInfo]),
    );
  }

  /** @throws UnimissError 'checkpoint' that says what cannot be read or is refused */
  static async open(file: string): Promise<PthFile> {
    let handle: FileHandle;
    try {
      // A pipe must not block the thread; `isFile` refuses it.
      handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (cause) {
      throw new UnimissError('checkpoint', `cannot be opened: ${messageOf(cause)}`, {
        place: file,
        remedy: 'Check the path and its permissions.',
        cause,
      });
    }
    try {
      const archive = await openArchive(handle);
      const { tensors, scalars } = flatten(archive.value);
      for (const { storage } of tensors.values()) archive.place(storage);
      return new PthFile(file, handle, archive, tensors, scalars);
    } catch (cause) {
      await handle.close();
      throw unreadable(file, cause);
    }
  }

  async read(name: string): Promise<TensorValues> {
    const view = this.views.get(name);
    if (!view)
      throw new UnimissError('checkpoint', `has no tensor ${quoted(name)}`, {
        place: this.file,
        remedy: 'Use another checkpoint.',
      });
    const width = dtypeBytes[view.dtype];
    const { begin } = this.archive.place(view.storage);
    const elements = Math.max(0, extentOf(view) - view.offset);
    try {
      const bytes = await readExactly(this.handle, begin + view.offset * width, elements * width);
      const values = isContiguous(view) ? Uint8Array.from(bytes) : gather(view, view.dtype, bytes);
      return new arrayOf[view.dtype](values.buffer as ArrayBuffer);
    } catch (cause) {
      throw unreadable(this.file, cause);
    }
  }

  /** Compares the checksums of the zip file. Files before PyTorch 1.6 have none. */
  async verify({ optional = false } = {}): Promise<void> {
    if (this.archive.checked.length === 0 && !optional)
      throw unreadable(this.file, new PthProblem('it has no checksums'));
    try {
      for (const { name, begin, bytes, crc32: expected } of this.archive.checked) {
        let sum = 0;
        for (let at = 0; at < bytes; at += chunkBytes)
          sum = crc32(await readExactly(this.handle, begin + at, Math.min(chunkBytes, bytes - at)), sum);
        if (sum !== expected)
          throw new PthProblem(`damaged: the checksum of ${quoted(name)} differs from its contents`);
      }
    } catch (cause) {
      throw unreadable(this.file, cause);
    }
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** Whether a file begins as one of PyTorch's. @param start its first bytes, 8 or more */
export function isPth(start: Buffer): boolean {
  return isZip(start) || isLegacy(start);
}

function isZip(start: Buffer): boolean {
  return start.subarray(0, 4).toString('latin1') === 'PK\x03\x04';
}

async function openArchive(handle: FileHandle): Promise<Archive> {
  const stat = await handle.stat();
  if (!stat.isFile()) throw new PthProblem('it is not a file');
  const start = await readExactly(handle, 0, Math.min(stat.size, 8));
  if (isZip(start)) return openZipArchive(handle);
  if (isLegacy(start)) return openLegacyArchive(handle);
  throw new PthProblem('it begins with neither a zip file nor a pickle');
}

/** What yauzl finds wrong with a zip file is a plain Error. */
function unreadable(file: string, cause: unknown): UnimissError {
  return new UnimissError('checkpoint', `not a readable PyTorch file: ${messageOf(cause)}`, {
    place: file,
    remedy,
    cause,
  });
}

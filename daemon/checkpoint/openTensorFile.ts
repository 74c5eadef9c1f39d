import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import { isPth, PthFile } from './pth/pthFile.ts';
import { SafetensorsFile } from './safetensorsReader.ts';
import type { TensorFile } from './tensorFile.ts';

/**
 * Opens a file of weights by what it begins with, whatever its name: PyTorch's (.pth, .pt), otherwise safetensors.
 * @throws UnimissError 'checkpoint' that says what cannot be read
 */
export async function openTensorFile(file: string): Promise<TensorFile> {
  return isPth(await startOf(file)) ? PthFile.open(file) : SafetensorsFile.open(file);
}

async function startOf(file: string): Promise<Buffer> {
  try {
    // A pipe must not block the thread.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new UnimissError('checkpoint', `cannot be opened: ${messageOf(cause)}`, {
      place: file,
      remedy: 'Check the path and its permissions.',
      cause,
    });
  }
}

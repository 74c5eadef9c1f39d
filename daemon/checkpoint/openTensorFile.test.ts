import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openTensorFile } from './openTensorFile.ts';
import { PthFile } from './pth/pthFile.ts';
import { SafetensorsFile } from './safetensorsReader.ts';
import { writeSafetensors } from './safetensorsWriter.ts';

it('recognises a file by what it begins with, not by its name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'unimiss-open-'));
  try {
    for (const name of ['checkpoint.pth', 'checkpoint-legacy.pth']) {
      const opened = await openTensorFile(join('test/fixtures/pth', name));
      expect(opened).toBeInstanceOf(PthFile);
      await opened.close();
    }
    const file = join(folder, 'weights.pth');
    await writeSafetensors(file, [{ name: 'a', dtype: 'F32', shape: [1], read: () => Float32Array.of(1) }], {});
    const opened = await openTensorFile(file);
    expect(opened).toBeInstanceOf(SafetensorsFile);
    await opened.close();
    await writeFile(file, 'short');
    await expect(openTensorFile(file)).rejects.toThrow(/has only 5 bytes/);
    await expect(openTensorFile(folder)).rejects.toThrow(/cannot be opened: EISDIR/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

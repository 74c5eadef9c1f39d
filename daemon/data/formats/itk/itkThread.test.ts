import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { ItkTask } from './itkTask.ts';
import { isImage, withItk } from './itkThread.ts';

const dir = mkdtempSync(join(tmpdir(), 'itk-'));
afterAll(() => rmSync(dir, { recursive: true }));

const sizes = [256, 256, 256] as const;
const path = join(dir, 'a.nrrd');
const header = `NRRD0004\ntype: uchar\ndimension: 3\nsizes: ${sizes.join(' ')}\nencoding: raw\n\n`;
writeFileSync(path, Buffer.concat([Buffer.from(header), Buffer.alloc(2 ** 24, 7)]));
const task: ItkTask = {
  pipeline: 'nrrd-read-image',
  args: [path, '0', '1'],
  inputs: [],
  outputs: ['json', 'image'],
  mounts: [dir],
};

it('a task that takes too long is stopped, with a sentence; the next one starts anew', async () => {
  let limit = 1;
  await withItk(
    async (itk) => {
      await expect(itk.run(path, task, 2 ** 24)).rejects.toMatchObject({
        code: 'data',
        what: 'could not be decoded within 0 s, so that it was stopped',
        details: { place: path, images: [path] },
      });
      limit = 60_000;
      const [, image] = await itk.run(path, task, 2 ** 24);
      expect(isImage(image, 2 ** 24)).toBe(true);
    },
    () => limit,
  );
});

it('an error of a pipeline is a sentence that names the image, with the original as cause', async () => {
  const missing = join(dir, 'missing.nrrd');
  const failing = { ...task, args: [missing, '0', '1'] };
  await expect(withItk((itk) => itk.run(missing, failing, 1))).rejects.toMatchObject({
    code: 'data',
    what: expect.stringMatching(/^cannot be decoded: its data are damaged/),
    details: {
      place: missing,
      cause: expect.objectContaining({ message: expect.stringMatching(/^nrrd-read-image: /) }),
    },
  });
});

it('a pipeline sees only the folders that it is given', async () => {
  await expect(withItk((itk) => itk.run(path, { ...task, mounts: [] }, 1))).rejects.toMatchObject({ code: 'data' });
});

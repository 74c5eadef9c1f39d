import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Predicted, predictedSchema } from '../../../../protocol/jobs/predictMessages.ts';
import { stateOfImages } from '../../../data/formats/imageFiles.ts';
import { diskError } from '../../../files/atomic.ts';

const lineSchema = z.object({ key: z.string(), result: predictedSchema });

/**
 * The images of a folder of results that are finished, one line each in `predicted.jsonl`. A line is written after the files that it
 * names, so a prediction that was killed goes on where it was.
 */
export class Finished {
  private constructor(
    private readonly file: string,
    private readonly settings: string,
    private readonly known: ReadonlyMap<string, Predicted>,
  ) {}

  /** @param settings all that decides the results, beside the images */
  static async open(folder: string, settings: unknown): Promise<Finished> {
    const file = join(folder, 'predicted.jsonl');
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw diskError(error, file);
    });
    const known = new Map<string, Predicted>();
    for (const line of text.split('\n')) {
      const parsed = lineSchema.safeParse(jsonOf(line));
      if (parsed.success) known.set(parsed.data.key, parsed.data.result);
    }
    // A line that a kill has torn must not swallow the next one.
    if (text !== '' && !text.endsWith('\n')) await append(file, '\n');
    return new Finished(file, JSON.stringify(settings), known);
  }

  /** The result of an image whose files have not changed since, if its own files are still there. */
  async find(images: readonly string[], patient?: string): Promise<Predicted | undefined> {
    const result = this.known.get(await this.keyOf(images, patient));
    if (!result) return undefined;
    const there = await Promise.all(
      result.files.map((path) =>
        stat(path).then(
          () => true,
          () => false,
        ),
      ),
    );
    return there.every(Boolean) ? result : undefined;
  }

  async add(images: readonly string[], result: Predicted, patient?: string): Promise<void> {
    await append(this.file, `${JSON.stringify({ key: await this.keyOf(images, patient), result })}\n`);
  }

  private async keyOf(images: readonly string[], patient = ''): Promise<string> {
    const hash = createHash('sha256').update(this.settings).update(patient);
    return hash.update(await stateOfImages(images)).digest('hex');
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // torn by a kill: the image is predicted again
  }
}

async function append(file: string, text: string): Promise<void> {
  try {
    const handle = await open(file, 'a', 0o600);
    try {
      const { size } = await handle.stat();
      await handle.appendFile(text).catch(async (error: unknown) => {
        await handle.truncate(size); // a full disk leaves no half line
        throw error;
      });
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw diskError(error, file);
  }
}

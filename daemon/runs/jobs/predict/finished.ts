import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Predicted, predictedSchema } from '../../../../protocol/jobs/predictMessages.ts';
import { stateOfImages } from '../../../data/formats/imageFiles.ts';
import { KeyedLines } from '../../records/keyedLines.ts';
import { privateMode } from './writeLabels.ts';

/**
 * The images of a folder of results that are finished, one line each in `predicted.jsonl`. A line is written after the files that it
 * names, so a prediction that was killed goes on where it was.
 */
export class Finished {
  private constructor(
    private readonly settings: string,
    private readonly lines: KeyedLines<Predicted>,
  ) {}

  /** @param settings all that decides the results, beside the images */
  static async open(folder: string, settings: unknown): Promise<Finished> {
    const lines = await KeyedLines.open(join(folder, 'predicted.jsonl'), predictedSchema, { mode: privateMode });
    return new Finished(JSON.stringify(settings), lines);
  }

  /** The result of an image whose files have not changed since, if its own files are still there. */
  async find(images: readonly string[], patient?: string): Promise<Predicted | undefined> {
    const result = this.lines.find(await this.keyOf(images, patient));
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
    this.lines.add(await this.keyOf(images, patient), result);
  }

  close(): void {
    this.lines.close();
  }

  private async keyOf(images: readonly string[], patient = ''): Promise<string> {
    const hash = createHash('sha256').update(this.settings).update(patient);
    return hash.update(await stateOfImages(images)).digest('hex');
  }
}

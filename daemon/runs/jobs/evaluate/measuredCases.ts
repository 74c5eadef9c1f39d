import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { ClassificationCase, SegmentationCase } from '../../../data/datasets/labelled/types.ts';
import { stateOfImages } from '../../../data/formats/imageFiles.ts';
import { KeyedLines } from '../../records/keyedLines.ts';

type Case = SegmentationCase | ClassificationCase;

/**
 * What evaluations of a run found for each case: a line each in `measured.jsonl` of the run, written when the case is done. An
 * evaluation that was killed goes on behind it, and nothing is measured twice in the same way. A line is found by all that decides its
 * numbers: the settings, and path, size and time of the case's files.
 */
export class MeasuredCases<T> {
  private constructor(
    private readonly settings: string,
    private readonly lines: KeyedLines<T>,
  ) {}

  /**
   * @param settings all that decides the numbers beside the case's files
   * @param notice told where the file cannot be written, because the run is read-only: then nothing is kept
   * @throws UnimissError 'disk', 'run' for a file that is a link
   */
  static async open<T>(
    file: string,
    { settings, result, notice }: { settings: object; result: z.ZodType<T>; notice: (message: string) => void },
  ): Promise<MeasuredCases<T>> {
    const onReadOnly = () => notice(`${file} cannot be written, so an interrupted evaluation begins anew.`);
    return new MeasuredCases(JSON.stringify(settings), await KeyedLines.open(file, result, { onReadOnly }));
  }

  /** Whether anything can be kept in the run. */
  get writable(): boolean {
    return this.lines.writable;
  }

  /** What was found for a case; undefined where it was not measured in this way, or its files have changed since. */
  async find(one: Case): Promise<T | undefined> {
    return this.lines.find(await this.keyOf(one));
  }

  async add(one: Case, result: T): Promise<void> {
    if (this.writable) this.lines.add(await this.keyOf(one), result);
  }

  close(): void {
    this.lines.close();
  }

  private async keyOf(one: Case): Promise<string> {
    const hash = createHash('sha256').update(this.settings);
    // A classification's reference is no file.
    hash.update(JSON.stringify('classes' in one ? one.classes : null));
    return hash.update(await stateOfImages(filesOf(one))).digest('hex');
  }
}

/** Images and labels of a case. */
function filesOf(one: Case): string[] {
  const label = 'label' in one ? one.label : null;
  const labels =
    label === null ? [] : label.kind === 'map' ? [label.path] : label.paths.filter((path) => path !== null);
  return [...one.channels, ...labels];
}

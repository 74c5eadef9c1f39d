import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';
import type { z } from 'zod';
import type { ClassificationCase, SegmentationCase } from '../../../data/datasets/labelled/types.ts';
import { stateOfImages } from '../../../data/formats/imageFiles.ts';
import { diskError } from '../../../files/atomic.ts';
import { openToAppend } from '../../../files/runFile.ts';
import { readLines } from '../../records/lines.ts';

type Case = SegmentationCase | ClassificationCase;

/**
 * What evaluations of a run found for each case: a line each in `measured.jsonl` of the run, written when the case is done. An
 * evaluation that was killed goes on behind it, and nothing is measured twice in the same way. A line is found by all that decides its
 * numbers: the settings, and path, size and time of the case's files.
 */
export class MeasuredCases<T> {
  private constructor(
    private readonly file: string,
    private readonly settings: string,
    private readonly known: ReadonlyMap<string, T>,
    private readonly descriptor: number | undefined,
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
    const known = new Map<string, T>();
    for await (const { text } of readLines(file)) {
      const line = jsonOf(text);
      const found = result.safeParse(line?.result);
      if (typeof line?.key === 'string' && found.success) known.set(line.key, found.data);
    }
    return new MeasuredCases(file, JSON.stringify(settings), known, opened(file, notice));
  }

  /** Whether anything can be kept in the run. */
  get writable(): boolean {
    return this.descriptor !== undefined;
  }

  /** What was found for a case; undefined where it was not measured in this way, or its files have changed since. */
  async find(one: Case): Promise<T | undefined> {
    return this.known.get(await this.keyOf(one));
  }

  async add(one: Case, result: T): Promise<void> {
    if (this.descriptor === undefined) return;
    try {
      writeSync(this.descriptor, `${JSON.stringify({ key: await this.keyOf(one), result })}\n`);
    } catch (error) {
      throw diskError(error, this.file);
    }
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
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

function opened(file: string, notice: (message: string) => void): number | undefined {
  try {
    const descriptor = openToAppend(file);
    const { size } = fstatSync(descriptor);
    const last = Buffer.alloc(1);
    // A line that a kill has torn must not swallow the next one.
    if (size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== 10) writeSync(descriptor, '\n');
    return descriptor;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EROFS') throw diskError(error, file);
    notice(`${file} cannot be written, so an interrupted evaluation begins anew.`);
    return undefined;
  }
}

/** Undefined for a line that a kill has torn: its case is measured again. */
function jsonOf(line: string): { key?: unknown; result?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { version } from '../../../package.json';
import { measures } from '../../../protocol/compare/experiment.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { jsonOf } from '../../../protocol/json.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import type { LabelledImage } from './images.ts';

const share = z.number().min(0).max(1);
const line = z.strictObject({
  /** SHA-256 of the experiment. */
  experiment: z.string(),
  task: z.enum(measures),
  arm: z.string(),
  modality: z.enum(modalities),
  labels: z.int().min(1),
  seed: z.int().min(0),
  /** Names and classes of the test images, as `imagesDigest` has them. */
  images: z.string(),
  /** Of `ArmScores`, for this seed. */
  accuracy: share,
  perImage: z.array(share.nullable()).readonly(),
  /** The version, the processor and the time (ISO 8601) of the measurement. */
  unimiss: z.string(),
  processor: z.string(),
  measured: z.string(),
});
export type ScoreLine = z.infer<typeof line>;
/** What a measurement is of. */
export type ScoreKey = Pick<ScoreLine, 'task' | 'arm' | 'modality' | 'labels' | 'seed'>;
/** What a measurement found. */
export type Score = ScoreKey & Pick<ScoreLine, 'images' | 'accuracy' | 'perImage'>;

/** Its name in the folder of the results. */
export const ledgerFile = 'scores.jsonl';

/**
 * Every score that an experiment has measured, a line each. What is in it is not measured again: with this file and the experiment,
 * another machine continues where one stopped.
 */
export class ScoreLedger {
  private readonly lines = new Map<string, ScoreLine>();

  private constructor(
    readonly file: string,
    private readonly hash: string,
  ) {}

  /** @throws UnimissError 'data' for a line that is damaged or of another experiment */
  static async open(out: string, hash: string): Promise<ScoreLedger> {
    const ledger = new ScoreLedger(join(out, ledgerFile), hash);
    if (!existsSync(ledger.file)) return ledger;
    const texts = (await readFile(ledger.file, 'utf8')).split('\n');
    for (const [n, text] of texts.entries()) if (text.trim() !== '') ledger.keep(ledger.parsed(text, n + 1));
    return ledger;
  }

  private parsed(text: string, number: number): ScoreLine {
    const place = `${this.file}:${number}`;
    const found = line.safeParse(jsonOf(text));
    if (!found.success)
      throw new UnimissError('data', 'is no score of an experiment', {
        place,
        remedy: 'Restore the file, or delete this line: what it says is then measured again.',
      });
    if (found.data.experiment !== this.hash)
      throw new UnimissError('data', 'is a score of another experiment, or of this one before it was changed', {
        place,
        remedy: 'Use the experiment that the scores belong to, or another folder for the results.',
      });
    return found.data;
  }

  /** Where a score was measured twice, the first one counts. */
  private keep(one: ScoreLine): void {
    const key = keyOf(one);
    if (!this.lines.has(key)) this.lines.set(key, one);
  }

  /** @throws UnimissError 'data' where a score is of other images than the test has */
  requireImages(test: Readonly<Record<Modality, readonly LabelledImage[]>>): void {
    const now = Object.fromEntries(modalities.map((modality) => [modality, imagesDigest(test[modality])]));
    const other = [...this.lines.values()].find(({ modality, images }) => images !== now[modality]);
    if (other)
      throw new UnimissError('data', 'has scores of other images than the test has', {
        place: `${this.file}: ${other.arm}, ${other.modality}, ${other.task}`,
        remedy: 'Restore the test images, or use another folder for the results.',
      });
  }

  /** Where and when the scores were measured. */
  get origin(): { readonly processors: readonly string[]; readonly measured: readonly [first: string, last: string] } {
    const lines = [...this.lines.values()];
    const times = lines.map(({ measured }) => measured).sort();
    return {
      processors: [...new Set(lines.map(({ processor }) => processor))],
      measured: [times[0] ?? '', times.at(-1) ?? ''],
    };
  }

  get(key: ScoreKey): ScoreLine | undefined {
    return this.lines.get(keyOf(key));
  }

  async add(scores: readonly Score[]): Promise<void> {
    const processor = cpus()[0]?.model ?? 'unknown';
    const about = { unimiss: version, processor, measured: new Date().toISOString() };
    for (const score of scores) this.keep({ experiment: this.hash, ...score, ...about });
    const text = [...this.lines.values()].map((one) => `${JSON.stringify(one)}\n`).join('');
    await writeTextAtomically(this.file, text);
  }
}

/** What says whether scores are of the same test images. */
export function imagesDigest(images: readonly LabelledImage[]): string {
  const rows = images.map(({ path, label }) => [basename(path), label]);
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 16);
}

function keyOf({ task, arm, modality, labels, seed }: ScoreKey): string {
  return JSON.stringify([task, arm, modality, labels, seed]);
}

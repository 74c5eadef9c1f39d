import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finetuneKind, requireFinetune } from '../../../../protocol/config/finetune/index.ts';
import { pretrainKind, requirePretrain } from '../../../../protocol/config/pretrain/index.ts';
import type { Leakage } from '../../../../protocol/evaluation/common.ts';
import { caseDigests } from '../../../data/prepared/caseDigests.ts';
import type { StoredCase } from '../../../data/prepared/readCase.ts';
import { privacyKey } from '../../folder/privacy.ts';
import { RunFolder } from '../../folder/runFolder.ts';
import { TrainedImages } from '../../records/imageHashes.ts';
import { findLeakage } from '../../records/leakage.ts';

/** Whether the training of a network, or one before it, has read an image. */
export const verdicts = ['seen', 'none', 'unknown'] as const;
export type Verdict = (typeof verdicts)[number];

/** What the weights of a network have learned from: a run's folder, or a file of weights. */
interface Source {
  readonly place: string;
  readonly trained: TrainedImages | 'unknown';
}

/** Looks for evaluated images among those that a network was trained on, in all runs that its weights went through. */
export class LeakageCheck {
  private readonly verdicts = new Map<string, Verdict>();

  private constructor(
    private readonly sources: readonly Source[],
    /** Changes where the images that were trained on do. */
    readonly state: string,
  ) {}

  /** @param places the run and what it began with (`weightsOf`): folders of runs, or a file of weights */
  static async of(places: readonly string[]): Promise<LeakageCheck> {
    const key = await privacyKey();
    const sources: Source[] = [];
    const sizes: string[] = [];
    for (const place of places) {
      const file = join(place, 'images.jsonl');
      // A file of weights, and a run of an earlier version, has none.
      const size = await stat(file).then(
        (found) => found.size,
        () => undefined,
      );
      sources.push({ place, trained: size === undefined ? 'unknown' : await TrainedImages.read(file, key) });
      sizes.push(`${place} ${size}`);
    }
    return new LeakageCheck(sources, sizes.join('\n'));
  }

  /** Whether a training has read an image: the same values in another format or under another name are the same image. */
  verdictOf(id: string, stored: StoredCase): Verdict {
    const digests = this.sources.some(({ trained }) => trained !== 'unknown') ? caseDigests(stored) : [];
    const found = this.sources.map(({ trained }) => findLeakage([{ id, digests }], trained).status);
    return verdicts.find((verdict) => verdict !== 'none' && found.includes(verdict)) ?? 'none';
  }

  /** Notes what was found for an image that is evaluated. */
  note(id: string, verdict: Verdict): void {
    this.verdicts.set(id, verdict);
  }

  /** What was found in all. */
  result(): Leakage {
    const checked = this.verdicts.size;
    const having = (wanted: Verdict) => [...this.verdicts].flatMap(([id, verdict]) => (verdict === wanted ? [id] : []));
    const seen = having('seen');
    if (seen.length > 0) return { state: 'found', checked, cases: seen };
    if (having('unknown').length === 0) return { state: 'none', checked };
    const silent = this.sources.flatMap(({ place, trained }) => (trained === 'unknown' ? [place] : []));
    const reason =
      silent.length > 0
        ? `${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not tell on which images the weights were trained.`
        : 'Some of its runs recorded only a part of their images.';
    return { state: 'unknown', reason };
  }
}

/** A run, and the runs and files that its weights went through before, the newest first. */
export async function weightsOf(run: RunFolder): Promise<string[]> {
  const places: string[] = [];
  for (let place: string | null = run.folder; place !== null && !places.includes(place); ) {
    places.push(place);
    const isRun: boolean = await stat(join(place, 'run.json')).then(
      () => true,
      () => false,
    );
    place = isRun ? beginningOf(await RunFolder.open(place)) : null;
  }
  return places;
}

/** Where a run's first weights are from; null: random. */
function beginningOf({ config, task }: RunFolder): string | null {
  if (task === finetuneKind.task) return requireFinetune(config).start.from;
  if (task === pretrainKind.task) return requirePretrain(config).train.initialWeights;
  return null;
}

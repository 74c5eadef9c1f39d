import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Leakage } from '../../../../protocol/evaluation/common.ts';
import { imageDigest } from '../../../data/imageDigest.ts';
import type { StoredCase } from '../../../data/prepared/readCase.ts';
import { privacyKey } from '../../folder/privacy.ts';
import { TrainedImages } from '../../records/imageHashes.ts';
import { findLeakage, type TestedImage } from '../../records/leakage.ts';

/** Looks among the images of a pre-training for those that are evaluated. */
export class LeakageCheck {
  private readonly tested: TestedImage[] = [];

  private constructor(
    private readonly from: string | null,
    private readonly trained: TrainedImages | 'unknown',
  ) {}

  /** @param from where the network's first weights are from: a run's folder, a file, or null: from scratch */
  static async of(from: string | null): Promise<LeakageCheck> {
    const isRun = from !== null && ((await stat(from).catch(() => undefined))?.isDirectory() ?? false);
    if (!isRun) return new LeakageCheck(from, 'unknown');
    return new LeakageCheck(from, await TrainedImages.read(join(from, 'images.jsonl'), await privacyKey()));
  }

  /** Notes an image that is evaluated; the same values in another format or under another name are the same image. */
  see(id: string, stored: StoredCase): void {
    if (this.trained !== 'unknown') this.tested.push({ id, digests: digestsOf(stored) });
  }

  /** @param cases number of cases that are evaluated */
  result(cases: number): Leakage {
    if (this.from === null) return { state: 'none', checked: cases };
    if (this.trained === 'unknown')
      return { state: 'unknown', reason: `${this.from} does not tell on which images it was pre-trained.` };
    const { status, seen, tested } = findLeakage(this.tested, this.trained);
    if (status === 'seen') return { state: 'found', checked: tested, cases: seen.map(({ id }) => id) };
    if (status === 'none') return { state: 'none', checked: tested };
    return { state: 'unknown', reason: `${this.from} recorded only a part of the images of its pre-training.` };
  }
}

/** Of volumes, one a channel; of pictures, the colours together, as pre-training reads them. */
function digestsOf({ size, grid, channels }: StoredCase): string[] {
  const [first] = channels;
  if (!first) return [];
  if (grid || size[0] > 1)
    return channels.map((data) => imageDigest({ kind: '3D', shape: size, data, spacing: [1, 1, 1] }));
  const [, height, width] = size;
  const data = Uint8Array.from({ length: 3 * height * width }, (_, i) => {
    const channel = channels.length === 1 ? first : (channels[i % 3] ?? first);
    return channel[Math.floor(i / 3)]!;
  });
  return [imageDigest({ kind: '2D', height, width, data })];
}

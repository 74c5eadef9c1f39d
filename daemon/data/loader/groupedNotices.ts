import { count } from '../../../protocol/words.ts';
import type { VolumeNotice } from '../volumes.ts';

type Kind = VolumeNotice['kind'];

/** What volumes have in common, as a clause. */
const common: Record<Kind, string> = {
  resampled: 'were resampled',
  orientation: 'have an unsound orientation in their headers',
  slices: 'have unusual slices',
  spacing: 'have no usable spacing in their headers',
  values: 'have values that do not look like HU',
  cache: 'had problems with the cache',
};

/** Notices about volumes: the first of each kind is passed on at once, the others are counted and told in one sentence. */
export class GroupedNotices {
  private readonly counts = new Map<Kind, { count: number; told: number }>();

  constructor(private readonly tell: (message: string, kind: Kind, image?: string) => void) {}

  add(kind: Kind, message: string, image: string): void {
    const before = this.counts.get(kind)?.count ?? 0;
    this.counts.set(kind, { count: before + 1, told: Math.max(1, this.counts.get(kind)?.told ?? 1) });
    if (before === 0) this.tell(message, kind, image);
  }

  /** Tells how many there are by now, where that was not told. Call it at the end of an epoch. */
  summarize(): void {
    for (const [kind, { count: all, told }] of this.counts) {
      if (all === told) continue;
      this.counts.set(kind, { count: all, told: all });
      this.tell(`${count(all, 'volume')} ${common[kind]}`, kind);
    }
  }
}

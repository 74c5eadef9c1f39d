import { Random } from '../random.ts';
import { ignoredLabel, type LabelMaps } from './types.ts';

/** Places that are kept of each class; nnU-Net keeps 10,000. */
const most = 2000;

/** A class that occurs: how often, and some of its voxels, by their numbers in [D, H, W]. */
export interface ClassPlaces {
  readonly voxels: number;
  readonly places: Int32Array;
}

/** By class, without the background. */
export type ClassPositions = ReadonlyMap<number, ClassPlaces>;

/** Draws evenly among all voxels of a class; the same for the same labels. */
export function classPositions({ overlapping, maps, data }: LabelMaps): ClassPositions {
  const voxels = data.length / maps;
  const counts = new Map<number, number>();
  const classOf = (i: number): number => {
    const label = data[i]!;
    if (label === 0 || label === ignoredLabel) return 0;
    return overlapping ? Math.floor(i / voxels) + 1 : label;
  };
  for (let i = 0; i < data.length; i++) {
    const label = classOf(i);
    if (label !== 0) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const wanted = new Map(
    [...counts].sort(([a], [b]) => a - b).map(([label, count]) => [label, new Sampler(label, count)]),
  );
  for (let i = 0; i < data.length; i++) {
    const label = classOf(i);
    if (label !== 0) wanted.get(label)?.see(i % voxels);
  }
  return new Map([...wanted].map(([label, { kept, count }]) => [label, { voxels: count, places: kept }]));
}

/** Takes one voxel out of each of `most` equal parts of those that it sees. */
class Sampler {
  readonly kept: Int32Array;
  private seen = 0;
  private next: number;
  private taken = 0;
  private readonly random: Random;

  constructor(
    label: number,
    readonly count: number,
  ) {
    this.random = new Random('class positions', label);
    this.kept = new Int32Array(Math.min(most, count));
    this.next = this.choose();
  }

  see(voxel: number): void {
    if (this.seen++ !== this.next) return;
    this.kept[this.taken++] = voxel;
    this.next = this.choose();
  }

  private choose(): number {
    const parts = this.kept.length;
    const [from, to] = [this.taken, this.taken + 1].map((part) => Math.floor((part * this.count) / parts));
    return from! + (to! > from! ? this.random.int(to! - from!) : 0);
  }
}

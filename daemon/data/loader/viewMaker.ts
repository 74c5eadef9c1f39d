import { UnimissError } from '../../../protocol/errors.ts';
import { makeViews2D } from '../augment/views2D.ts';
import { makeViews3D } from '../augment/views3D.ts';
import { type BrokenImage, brokenReason } from '../datasets/unlabelled.ts';
import { readImage } from '../formats/image.ts';
import { imageDigest } from '../imageDigest.ts';
import { Random, type RandomKey } from '../random.ts';
import type { Image2D, Volume } from '../types.ts';
import { subVolume, VolumeReader } from '../volumes.ts';
import { DecodedCache } from './decodedCache.ts';
import type { BatchTask, MadeBatch, Slot, ViewOptions } from './types.ts';

/** The data of a sample for a worker. */
export interface SampleFile {
  readonly id: string;
  readonly path: string;
  /** Whether to return its digest. */
  readonly digest?: boolean;
}

type Notice = MadeBatch['notices'][number];
type Digest = MadeBatch['digests'][number];
/** Findings from making a batch. */
interface Found {
  readonly broken: BrokenImage[];
  readonly notices: Notice[];
  readonly digests: Digest[];
}

/** Broken images in a row after which a place in an epoch fails. */
const maxSubstitutes = 64;

/** Makes the views of batches; one per worker thread. The result depends only on its options and the task. */
export class ViewMaker {
  private readonly volumes: VolumeReader;
  private readonly decoded: DecodedCache;
  private readonly brokenById = new Map<string, BrokenImage>();
  /** Ids of images whose digests this maker has returned. */
  private readonly digested = new Set<string>();

  constructor(
    private readonly samples: readonly SampleFile[],
    private readonly options: ViewOptions,
  ) {
    this.volumes = new VolumeReader(options.resample);
    this.decoded = new DecodedCache(options.cacheMiB * 2 ** 20);
  }

  /** Reads each image once and makes both its views, [2B, …]: view 1 of all, then view 2 of all. */
  async make({ epoch, slots }: BatchTask): Promise<MadeBatch> {
    const { phase, views2D, views3D } = this.options;
    const length = phase === '2D' ? 3 * product(views2D.size) : product(views3D.size);
    const views = new Float32Array(2 * slots.length * length);
    const ids: string[] = [];
    const broken: BrokenImage[] = [];
    const notices: Notice[] = [];
    const digests: Digest[] = [];
    const found = { broken, notices, digests };
    for (const [place, slot] of slots.entries()) {
      const { image, id, key } = await this.readSound(epoch, slot, found);
      const pair =
        image.kind === '2D' ? makeViews2D(image, views2D, key) : makeViews3D(subVolume(image, key), views3D, key);
      views.set(pair[0], place * length);
      views.set(pair[1], (slots.length + place) * length);
      ids.push(id);
    }
    return { views, ids, ...found };
  }

  /** The slot's image or, if it is broken, the first sound one among those that the slot's random numbers select. */
  private async readSound(epoch: number, slot: Slot, found: Found) {
    const { seed } = this.options;
    const wanted = this.samples[slot.sample]!;
    const key: RandomKey = [seed, epoch, wanted.id, slot.repeat];
    const random = new Random(...key, 'substitute');
    let sample = wanted;
    for (let tries = 0; tries < maxSubstitutes; tries++) {
      const image = await this.read(sample, found);
      if (image) return { image, id: sample.id, key: tries === 0 ? key : [...key, 'substitute', sample.id] };
      sample = this.samples[random.int(this.samples.length)]!;
    }
    throw new UnimissError('data', `${wanted.id} and ${maxSubstitutes - 1} images in its place are broken`, {
      place: wanted.path,
      images: [wanted.path, wanted.id],
      remedy: 'Check whether the folder can still be read.',
    });
  }

  private async read(sample: SampleFile, { broken, notices, digests }: Found): Promise<Image2D | Volume | undefined> {
    const known = this.brokenById.get(sample.id);
    if (known) {
      broken.push(known);
      return undefined;
    }
    const kept = this.decoded.get(sample.id);
    if (kept) return kept;
    try {
      const onDigest = (digest: string) => {
        digests.push({ id: sample.id, digest });
        this.digested.add(sample.id);
      };
      const wanted = sample.digest && !this.digested.has(sample.id) ? onDigest : undefined;
      const image = await this.decode(sample, notices, wanted);
      this.decoded.set(sample.id, image);
      return image;
    } catch (error) {
      const image = { id: sample.id, reason: brokenReason(error) };
      this.brokenById.set(sample.id, image);
      broken.push(image);
      return undefined;
    }
  }

  private async decode(
    { id, path }: SampleFile,
    notices: Notice[],
    onDigest: ((digest: string) => void) | undefined,
  ): Promise<Image2D | Volume> {
    if (this.options.phase === '3D')
      return this.volumes.read(path, (notice) => notices.push({ id, ...notice }), onDigest);
    const image = await readImage(path);
    onDigest?.(imageDigest(image));
    return image;
  }
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

import type { PlaneName } from '../../protocol/viewer/geometry.ts';
import type { PlanePiece, PlaneRequest } from '../../protocol/viewer/planes.ts';
import { type LoadedPlane, readPiece } from '../../protocol/viewer/readPiece.ts';

/** Bytes of planes that are kept for going back to them; never the whole of a large volume. */
const mostKept = 48 * 2 ** 20;
/**
 * Requests for one plane that are under way at once. Over a line with a delay of 50 ms, one after the other would show at most 20 planes a
 * second; more than a few would show what the user has left long ago.
 */
const mostUnderWay = 4;
/** A plane that lacks voxels is fetched again at most so often while the file is read, ms. */
const sharpenEvery = 500;

/** One of the three planes. */
interface Channel {
  /** What is to be shown, if it is not there. */
  wanted: PlaneRequest | undefined;
  /** Planes that were asked for, in order. */
  underWay: number[];
  /** How many of them were cut before the image changed. */
  outdated: number;
  shown: LoadedPlane | undefined;
  /** What is in sight was cut before the image changed. */
  stale: boolean;
  /** When it was asked for last, ms. */
  asked: number;
}

/**
 * Fetches planes: of each of the three only what is wanted at the time, so that a fast wheel asks for no more than can be shown. Planes of a file
 * that is still being read are asked for again when more of it is there.
 */
export class PlaneLoader {
  private readonly kept = new Map<string, LoadedPlane>();
  private bytes = 0;
  private readonly channels = new Map<PlaneName, Channel>();

  /** @param layer 0: the image itself */
  constructor(
    private readonly layer: number,
    private readonly ask: (request: PlaneRequest) => void,
    private readonly arrived: () => void,
  ) {}

  /** The plane, or the last one of its kind that was there while it is fetched. */
  get(plane: PlaneName, index: number, reading: boolean): LoadedPlane | undefined {
    const channel = this.channel(plane);
    const key = `${plane} ${index}`;
    const found = this.kept.get(key);
    if (found) {
      channel.shown = found;
      channel.wanted = undefined;
      // The newest are at the end.
      this.kept.delete(key);
      this.kept.set(key, found);
      return found;
    }
    const { shown, stale } = channel;
    const same = !stale && (channel.wanted?.index === index || (shown?.index === index && !shown.complete));
    channel.wanted = { layer: this.layer, plane, index, nearest: reading };
    if (!same || !shown) this.next(channel);
    return shown;
  }

  /** A piece of the image has come. */
  async receive(piece: PlanePiece): Promise<void> {
    const plane = await readPiece(piece);
    const channel = this.channel(piece.plane);
    const { underWay, wanted } = channel;
    // While a file is read, another plane may come than was asked for.
    const at = underWay.indexOf(piece.index);
    underWay.splice(Math.max(0, at), 1);
    channel.shown = plane;
    if (channel.outdated > 0) {
      channel.outdated--;
      channel.stale = true;
    } else if (piece.complete) this.keep(plane);
    if (wanted?.index === piece.index && piece.complete) channel.wanted = undefined;
    else if (wanted && wanted.index !== piece.index && !wanted.nearest) this.next(channel);
    this.arrived();
  }

  /** More of the file has been read. */
  readMore(settled: boolean): void {
    for (const channel of this.channels.values()) {
      const { wanted, shown, asked } = channel;
      if (!wanted) continue;
      channel.wanted = { ...wanted, nearest: !settled };
      // What is in sight already only gets sharper: cutting it again each time would take the time of reading.
      const sharpens = !settled && shown?.index === wanted.index;
      if (!sharpens || performance.now() - asked >= sharpenEvery) this.next(channel);
    }
  }

  /** The image has changed: what is in sight stays until the new planes come. */
  renew(): void {
    this.kept.clear();
    this.bytes = 0;
    for (const channel of this.channels.values()) {
      channel.stale = channel.shown !== undefined;
      channel.outdated = channel.underWay.length;
    }
  }

  private channel(plane: PlaneName): Channel {
    const known = this.channels.get(plane);
    if (known) return known;
    const made = { wanted: undefined, underWay: [], outdated: 0, shown: undefined, stale: false, asked: 0 };
    this.channels.set(plane, made);
    return made;
  }

  private next(channel: Channel): void {
    const { wanted: request, underWay, outdated } = channel;
    // Before a file has been read, each answer is the newest plane that there is: several would be the same.
    const most = request?.nearest ? 1 : mostUnderWay;
    if (!request || underWay.length >= most || underWay.indexOf(request.index, outdated) >= 0) return;
    underWay.push(request.index);
    channel.stale = false;
    channel.asked = performance.now();
    this.ask(request);
  }

  private keep(plane: LoadedPlane): void {
    const key = `${plane.plane} ${plane.index}`;
    this.bytes += plane.numbers.byteLength - (this.kept.get(key)?.numbers.byteLength ?? 0);
    this.kept.set(key, plane);
    for (const [one, { numbers }] of this.kept) {
      if (this.bytes <= mostKept) return;
      this.kept.delete(one);
      this.bytes -= numbers.byteLength;
    }
  }
}

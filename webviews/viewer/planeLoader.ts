import type { PlaneName } from '../../protocol/viewer/geometry.ts';
import type { PlanePiece, PlaneRequest } from '../../protocol/viewer/planes.ts';

/** A plane whose numbers are there. */
export interface LoadedPlane extends Omit<PlanePiece, 'deflated'> {
  readonly numbers: Int16Array | Uint16Array | Float32Array | Uint8Array;
}

/** Bytes of planes that are kept for going back to them; never the whole of a large volume. */
const mostKept = 48 * 2 ** 20;

/**
 * Fetches planes: for each of the three at most one is under way, so that a fast wheel asks for no more than is shown. Planes of a file that is
 * still being read are asked for again when more of it is there.
 */
export class PlaneLoader {
  private readonly kept = new Map<string, LoadedPlane>();
  private bytes = 0;
  private readonly wanted = new Map<PlaneName, PlaneRequest>();
  private readonly underWay = new Set<PlaneName>();
  private readonly shown = new Map<PlaneName, LoadedPlane>();

  /** @param layer 0: the image itself */
  constructor(
    private readonly layer: number,
    private readonly ask: (request: PlaneRequest) => void,
    private readonly arrived: () => void,
  ) {}

  /** The plane, or the last one of its kind that was there while it is fetched. */
  get(plane: PlaneName, index: number, reading: boolean): LoadedPlane | undefined {
    const key = `${plane} ${index}`;
    const found = this.kept.get(key);
    if (found) {
      this.shown.set(plane, found);
      this.wanted.delete(plane);
      // The newest are at the end.
      this.kept.delete(key);
      this.kept.set(key, found);
    } else {
      const shown = this.shown.get(plane);
      const same = this.wanted.get(plane)?.index === index || (shown?.index === index && !shown.complete);
      this.wanted.set(plane, { layer: this.layer, plane, index, nearest: reading });
      if (!same || !shown) this.next(plane);
    }
    return this.shown.get(plane);
  }

  /** A piece of the image has come. */
  async receive({ deflated, ...piece }: PlanePiece): Promise<void> {
    const numbers = numbersOf(piece.kind, await inflate(deflated));
    const plane: LoadedPlane = { ...piece, numbers };
    this.underWay.delete(piece.plane);
    this.shown.set(piece.plane, plane);
    if (piece.complete) this.keep(plane);
    const wanted = this.wanted.get(piece.plane);
    if (wanted?.index === piece.index && piece.complete) this.wanted.delete(piece.plane);
    else if (wanted && wanted.index !== piece.index && !wanted.nearest) this.next(piece.plane);
    this.arrived();
  }

  /** More of the file has been read. */
  readMore(settled: boolean): void {
    for (const [plane, request] of this.wanted) {
      this.wanted.set(plane, { ...request, nearest: !settled });
      this.next(plane);
    }
  }

  private next(plane: PlaneName): void {
    const request = this.wanted.get(plane);
    if (!request || this.underWay.has(plane)) return;
    this.underWay.add(plane);
    this.ask(request);
  }

  private keep(plane: LoadedPlane): void {
    this.kept.set(`${plane.plane} ${plane.index}`, plane);
    this.bytes += plane.numbers.byteLength;
    for (const [key, { numbers }] of this.kept) {
      if (this.bytes <= mostKept) return;
      this.kept.delete(key);
      this.bytes -= numbers.byteLength;
    }
  }
}

async function inflate(deflated: Uint8Array): Promise<ArrayBuffer> {
  const stream = new Blob([deflated as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).arrayBuffer();
}

function numbersOf(kind: PlanePiece['kind'], bytes: ArrayBuffer): LoadedPlane['numbers'] {
  if (kind === 'int16') return new Int16Array(bytes);
  if (kind === 'uint16') return new Uint16Array(bytes);
  return kind === 'float32' ? new Float32Array(bytes) : new Uint8Array(bytes);
}

import type { PieceKind, PlanePiece } from './planes.ts';

/** A plane whose numbers are there. */
export interface LoadedPlane extends Omit<PlanePiece, 'deflated'> {
  readonly numbers: Int16Array | Uint16Array | Float32Array | Uint8Array;
}

/** The numbers of a plane that has travelled, in browsers and in Node. */
export async function readPiece({ deflated, ...piece }: PlanePiece): Promise<LoadedPlane> {
  const stream = new Blob([deflated as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'));
  return { ...piece, numbers: numbersOf(piece.kind, await new Response(stream).arrayBuffer()) };
}

function numbersOf(kind: PieceKind, bytes: ArrayBuffer): LoadedPlane['numbers'] {
  if (kind === 'int16') return new Int16Array(bytes);
  if (kind === 'uint16') return new Uint16Array(bytes);
  return kind === 'float32' ? new Float32Array(bytes) : new Uint8Array(bytes);
}

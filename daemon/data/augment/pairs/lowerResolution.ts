import type { Size3 } from '../../prepared/types.ts';

/**
 * Simulates a lower resolution, in place: takes the nearest voxels of a grid `zoom` times as fine (0–1) and interpolates linearly
 * between them, along each axis longer than 1. A zoom that keeps the size changes nothing.
 */
export function lowerResolution(values: Float32Array, size: Size3, zoom: number): void {
  let inner = 1;
  for (const axis of [2, 1, 0] as const) {
    const length = size[axis];
    const coarse = Math.max(1, Math.round(length * zoom));
    if (length > 1 && coarse < length) {
      const line = new Float32Array(coarse);
      const scale = coarse / length;
      const nearest = Array.from({ length: coarse }, (_, i) => Math.min(length - 1, Math.floor((i + 0.5) / scale)));
      const outer = values.length / (length * inner);
      for (let o = 0; o < outer; o++)
        for (let i = 0; i < inner; i++) {
          const start = o * length * inner + i;
          for (let j = 0; j < coarse; j++) line[j] = values[start + nearest[j]! * inner]!;
          for (let j = 0; j < length; j++) {
            const position = Math.min(Math.max((j + 0.5) * scale - 0.5, 0), coarse - 1);
            const low = Math.floor(position);
            const share = position - low;
            values[start + j * inner] = line[low]! * (1 - share) + line[Math.min(low + 1, coarse - 1)]! * share;
          }
        }
    }
    inner *= length;
  }
}

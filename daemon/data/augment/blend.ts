/**
 * Extrapolates from one 8-bit value through another by a factor: 0 gives `from`, 1 gives `to`; above 1 the line continues,
 * clipped to 0–255. Uses single precision with truncation, like PIL's Image.blend; `factor` must be a float32 (Math.fround).
 */
export function blend(from: number, to: number, factor: number): number {
  const value = Math.fround(from + Math.fround(factor * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}

/** `blend` from one fixed value, for every 8-bit value: 256 entries. */
export function blendTable(from: number, factor: number): Uint8Array {
  const single = Math.fround(factor);
  return Uint8Array.from({ length: 256 }, (_, to) => blend(from, to, single));
}

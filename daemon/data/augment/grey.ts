/** The luma of ITU-R BT.601-2, 0–255, in 16-bit fixed point and rounded, as PIL's mode "L". */
export function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 32768) >> 16;
}

/** Sets all three channels of each pixel to its luma, in place. `pixels`: RGB [.., 3], 8 bit. */
export function toGrey(pixels: Uint8Array): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const value = luma(pixels[i]!, pixels[i + 1]!, pixels[i + 2]!);
    pixels[i] = value;
    pixels[i + 1] = value;
    pixels[i + 2] = value;
  }
}

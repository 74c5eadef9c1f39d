/** The window of `view3DPreview`: values of a 3D view (HU / 1024) from black to white, that is −1024 to +1024 HU. */
export const previewWindow = [-1, 1] as const;

export type Preview = { width: number; height: number; channels: 1 | 3; data: Uint8Array };

/** A 2D view [height, width, 3] of values 0–1 as 8-bit RGB. */
export function view2DPreview(view: Float32Array, [height, width]: readonly [number, number]): Preview {
  return { width, height, channels: 3, data: toBytes(view, 0, 1) };
}

/** A 3D view [slices, height, width] as one 8-bit grey strip, its slices side by side from left to right, in `previewWindow`. */
export function view3DPreview(view: Float32Array, [slices, height, width]: readonly [number, number, number]): Preview {
  const bytes = toBytes(view, ...previewWindow);
  const data = new Uint8Array(bytes.length);
  for (let d = 0; d < slices; d++) {
    for (let y = 0; y < height; y++) {
      const from = (d * height + y) * width;
      data.set(bytes.subarray(from, from + width), (y * slices + d) * width);
    }
  }
  return { width: slices * width, height, channels: 1, data };
}

function toBytes(values: Float32Array, black: number, white: number): Uint8Array {
  const bytes = new Uint8ClampedArray(values.length); // rounds and clamps
  for (let i = 0; i < values.length; i++) bytes[i] = ((values[i]! - black) / (white - black)) * 255;
  return new Uint8Array(bytes.buffer);
}

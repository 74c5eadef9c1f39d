import { encode } from 'fast-png';
import type { OpenedImage } from '../../protocol/viewer/page.ts';
import type { ValueRange } from '../../protocol/viewer/planes.ts';
import { type LoadedPlane, readPiece } from '../../protocol/viewer/readPiece.ts';
import { ImageThread } from '../viewer/imageThread.ts';

/** Longer side of a thumbnail, pixels. */
const side = 160;

/** A small picture of an image: its middle axial plane, as PNG. @param threadFile the bundled `images/thread.ts` */
export async function thumbnailOf(path: string, threadFile: string): Promise<{ png: Uint8Array; about: string }> {
  const thread = new ImageThread(threadFile, () => {});
  try {
    const opened = await thread.ask('open', { path });
    const range = await thread.ask('range', null); // the middle has been read then
    const index = Math.floor(opened.geometry.shape[0] / 2);
    const piece = await thread.ask('plane', { plane: 'axial', index, nearest: true });
    return { png: drawThumbnail(await readPiece(piece), range, opened.geometry.spacing), about: aboutImage(opened) };
  } finally {
    thread.dispose();
  }
}

/** `512 × 512 × 120 · 0.7 × 0.7 × 2.5 mm · nifti` */
function aboutImage({ geometry: { shape, spacing, spacingKnown }, kind, format }: OpenedImage): string {
  const [slices, rows, columns] = shape;
  const sizes = kind === 'picture' ? [columns, rows] : [columns, rows, slices];
  const [through, down, across] = spacing.map((mm) => Number(mm.toPrecision(3)));
  const known = spacingKnown && kind === 'volume' ? [`${across} × ${down} × ${through} mm`] : [];
  return [sizes.join(' × '), ...known, format].join(' · ');
}

/**
 * Draws a plane in grey or colour, its longer side at most 160 pixels.
 * @param spacing mm between slices, rows and columns
 */
export function drawThumbnail(
  { width, height, kind, slope, intercept, numbers }: LoadedPlane,
  { low, high }: ValueRange,
  [, down, across]: readonly [number, number, number],
): Uint8Array {
  const [wide, tall] = [width * across, height * down];
  const scale = Math.min(side, Math.max(width, height)) / Math.max(wide, tall);
  const size = { width: Math.max(1, Math.round(wide * scale)), height: Math.max(1, Math.round(tall * scale)) };
  const channels = kind === 'rgb' ? 3 : 1;
  const shade = (number: number) =>
    kind === 'rgb' ? number : (255 * (slope * number + intercept - low)) / Math.max(high - low, Number.EPSILON);
  const data = new Uint8ClampedArray(size.width * size.height * channels);
  for (let y = 0; y < size.height; y++)
    for (let x = 0; x < size.width; x++) {
      const row = Math.min(height - 1, Math.floor(((y + 0.5) * height) / size.height));
      const column = Math.min(width - 1, Math.floor(((x + 0.5) * width) / size.width));
      for (let c = 0; c < channels; c++)
        data[(y * size.width + x) * channels + c] = shade(numbers[(row * width + column) * channels + c] ?? 0);
    }
  return encode({ ...size, data: new Uint8Array(data.buffer), channels, depth: 8 });
}

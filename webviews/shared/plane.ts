import type { LabelledPlane } from '../../protocol/evaluation/plane.ts';
import { type Agreement, agreementOf, fromRuns } from '../../protocol/evaluation/planeLabels.ts';

/** Colours of the prediction's fill (red, green, blue, opacity). They differ in brightness too. */
export const agreementColors: Readonly<Record<Exclude<Agreement, 'none'>, readonly [number, number, number, number]>> =
  {
    right: [46, 160, 150, 0.4],
    extra: [255, 140, 0, 0.75],
    missed: [224, 49, 140, 0.75],
    other: [250, 220, 60, 0.75],
  };
const outlineColor = '#ffffff';

/** What the colours mean, for a legend. */
export const agreementWords: Readonly<Record<Exclude<Agreement, 'none'>, string>> = {
  right: 'prediction, as in the reference',
  extra: 'predicted, but not in the reference',
  missed: 'in the reference, but not predicted',
  other: 'predicted as another class',
};

/**
 * Draws a plane on a canvas: the image in grey, the prediction filled, its errors in colours of their own, the outline of the
 * reference as a white line. Pixels are square on the screen where they are in millimetres.
 * @param width CSS pixels that the picture should fill about; it becomes a whole multiple of the plane's
 */
export function drawPlane(canvas: HTMLCanvasElement, plane: LabelledPlane, width: number): void {
  const scale = Math.max(1, Math.round((width * Math.min(2, globalThis.devicePixelRatio || 1)) / plane.width));
  const [pixelWidth, pixelHeight] = [scale, Math.max(1, scale * plane.aspect)];
  canvas.width = plane.width * pixelWidth;
  canvas.height = Math.round(plane.height * pixelHeight);
  const context = canvas.getContext('2d');
  if (!context) return;
  const [reference, prediction] = [plane.reference, plane.prediction].map((runs) =>
    fromRuns(runs, plane.width * plane.height),
  ) as [Uint16Array, Uint16Array];
  context.imageSmoothingEnabled = false;
  context.drawImage(pictureOf(plane, reference, prediction), 0, 0, canvas.width, canvas.height);
  context.strokeStyle = outlineColor;
  context.lineWidth = Math.max(1, Math.round(scale / 3));
  context.stroke(outlineOf(plane, reference, pixelWidth, pixelHeight));
}

/** A canvas of one pixel for each of the plane. */
function pictureOf(plane: LabelledPlane, reference: Uint16Array, prediction: Uint16Array): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = plane.width;
  canvas.height = plane.height;
  const context = canvas.getContext('2d');
  if (!context) return canvas;
  const image = context.createImageData(plane.width, plane.height);
  const grey = atob(plane.grey);
  for (let i = 0; i < reference.length; i++) {
    const level = grey.charCodeAt(i) || 0;
    const agreement = agreementOf(reference[i]!, prediction[i]!);
    const [r, g, b, a] = agreement === 'none' ? ([0, 0, 0, 0] as const) : agreementColors[agreement];
    image.data[4 * i] = level * (1 - a) + r * a;
    image.data[4 * i + 1] = level * (1 - a) + g * a;
    image.data[4 * i + 2] = level * (1 - a) + b * a;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Edges between pixels of which the reference says different things. */
function outlineOf({ width, height }: LabelledPlane, reference: Uint16Array, sx: number, sy: number): Path2D {
  const path = new Path2D();
  const line = (x1: number, y1: number, x2: number, y2: number) => {
    path.moveTo(x1 * sx, y1 * sy);
    path.lineTo(x2 * sx, y2 * sy);
  };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const own = reference[y * width + x];
      if (x + 1 < width && reference[y * width + x + 1] !== own) line(x + 1, y, x + 1, y + 1);
      if (y + 1 < height && reference[(y + 1) * width + x] !== own) line(x, y + 1, x + 1, y + 1);
    }
  return path;
}

import type { LabelledPlane } from '../../protocol/evaluation/plane.ts';
import { agreementOf, fromRuns } from '../../protocol/evaluation/planeLabels.ts';
import { agreementColors } from './agreement.ts';

const outlineColor = '#ffffff';

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

/** The image with the prediction's colours over it, one pixel for each of the plane. */
function pictureOf(plane: LabelledPlane, reference: Uint16Array, prediction: Uint16Array): HTMLCanvasElement {
  const grey = atob(plane.grey);
  return pixelCanvas(plane, (data) => {
    for (let i = 0; i < reference.length; i++) {
      const level = grey.charCodeAt(i) || 0;
      const agreement = agreementOf(reference[i]!, prediction[i]!);
      const [r, g, b, a] = agreement === 'none' ? ([0, 0, 0, 0] as const) : agreementColors[agreement];
      data[4 * i] = level * (1 - a) + r * a;
      data[4 * i + 1] = level * (1 - a) + g * a;
      data[4 * i + 2] = level * (1 - a) + b * a;
      data[4 * i + 3] = 255;
    }
  });
}

/** Width and height of a plane in pixels. */
type Size = Pick<LabelledPlane, 'width' | 'height'>;

/** A canvas of one pixel for each of a plane. @param fill writes red, green, blue and opacity of each, row by row */
export function pixelCanvas(
  { width, height }: Size,
  fill: (data: Uint8ClampedArray) => void,
  canvas = document.createElement('canvas'),
): HTMLCanvasElement {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) return canvas;
  const image = context.createImageData(width, height);
  fill(image.data);
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Edges between pixels whose labels differ. @param sx, sy size of a pixel in the path's unit */
export function outlineOf({ width, height }: Size, labels: ArrayLike<number>, sx: number, sy: number): Path2D {
  const path = new Path2D();
  const line = (x1: number, y1: number, x2: number, y2: number) => {
    path.moveTo(x1 * sx, y1 * sy);
    path.lineTo(x2 * sx, y2 * sy);
  };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const own = labels[y * width + x];
      if (x + 1 < width && labels[y * width + x + 1] !== own) line(x + 1, y, x + 1, y + 1);
      if (y + 1 < height && labels[(y + 1) * width + x] !== own) line(x, y + 1, x + 1, y + 1);
    }
  return path;
}

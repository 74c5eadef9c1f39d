import { type Place, type PlaneName, planeAxes } from '../../protocol/viewer/geometry.ts';
import { freePlace, type TextBox } from './freePlace.ts';
import { measured, pointsOf } from './measure.ts';
import type { Placement } from './placement.ts';
import type { Shown } from './shown.ts';

const color = '#ffe14d';

/** Draws the measurements that lie in the plane that is shown, with what they say. */
export function drawMeasurements(
  context: CanvasRenderingContext2D,
  plane: PlaneName,
  { originX, originY, stepX, stepY }: Placement,
  { state, geometry, picture, ct }: Shown,
): void {
  const { across, down, through } = planeAxes[plane];
  const ratio = globalThis.devicePixelRatio || 1;
  const onCanvas = (place: Place): [number, number] => [
    originX + (place[across] + 0.5) * stepX,
    originY + (place[down] + 0.5) * stepY,
  ];
  context.strokeStyle = color;
  context.lineWidth = 1.5 * ratio;
  context.font = `${12 * ratio}px sans-serif`;
  context.textBaseline = 'bottom';
  const texts: TextBox[] = [];
  for (const measurement of state.measurements) {
    if (measurement.plane !== plane || measurement.index !== state.place[through]) continue;
    const points = measurement.points.map(onCanvas);
    const [first, second] = points;
    if (!first) continue;
    context.beginPath();
    if (measurement.tool === 'region' && second) {
      const radius = Math.hypot(
        ((second[0] - first[0]) / stepX) * geometry.spacing[across],
        ((second[1] - first[1]) / stepY) * geometry.spacing[down],
      );
      const [rx, ry] = [
        Math.abs(stepX) * (radius / geometry.spacing[across]),
        stepY * (radius / geometry.spacing[down]),
      ];
      context.ellipse(first[0], first[1], rx, ry, 0, 0, 2 * Math.PI);
    } else for (const [i, [x, y]] of points.entries()) i === 0 ? context.moveTo(x, y) : context.lineTo(x, y);
    context.stroke();
    for (const [x, y] of points) context.strokeRect(x - 2 * ratio, y - 2 * ratio, 4 * ratio, 4 * ratio);
    if (points.length < pointsOf[measurement.tool]) continue;
    const text = measured(geometry, measurement, picture?.plane, ct ? ' HU' : '');
    const [x, y] = points.at(-1) ?? first;
    const size = { width: context.measureText(text).width + 8 * ratio, height: 18 * ratio };
    const at = freePlace({ x: x + 6 * ratio, y: y - 20 * ratio, ...size }, texts, context.canvas);
    texts.push(at);
    context.fillStyle = 'rgba(0, 0, 0, 0.65)';
    context.fillRect(at.x, at.y, at.width, at.height);
    context.fillStyle = color;
    context.fillText(text, at.x + 4 * ratio, at.y + 16 * ratio);
  }
}

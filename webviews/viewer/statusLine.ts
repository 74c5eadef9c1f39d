import { type ImageGeometry, millimetersOf, planeAxes, voxelOf } from '../../protocol/viewer/geometry.ts';
import type { LoadedPlane } from '../../protocol/viewer/readPiece.ts';
import { element, setText } from '../shared/dom.ts';
import { labelAt, type ShownLayer, valueAt } from './paint.ts';
import type { ViewerState } from './state.ts';

/** What lies under the crosshair: its value, millimetres, and indices in the file. */
export class StatusLine {
  readonly root: HTMLElement;
  private readonly value = element('span', { className: 'value' });
  private readonly labels = element('span', { className: 'labels' });
  private readonly place = element('span', { className: 'place' });
  private readonly voxel = element('span', { className: 'voxel' });

  constructor() {
    const note = element('span', { className: 'note' }, 'Research use only');
    const attributes = { role: 'status', 'aria-label': 'Crosshair', 'aria-live': 'off' };
    this.root = element(
      'div',
      { className: 'status', attributes },
      this.value,
      this.labels,
      this.place,
      this.voxel,
      note,
    );
  }

  show(
    geometry: ImageGeometry,
    state: ViewerState,
    planes: readonly (LoadedPlane | undefined)[],
    layers: readonly ShownLayer[],
    ct: boolean,
  ): void {
    const { place } = state;
    const plane = planes.find((one) => one && place[planeAxes[one.plane].through] === one.index);
    const values = plane
      ? valueAt(plane, place[planeAxes[plane.plane].across], place[planeAxes[plane.plane].down])
      : [];
    // Grey in a picture of three colours is one value.
    const told = new Set(values).size === 1 ? values.slice(0, 1) : values;
    const text = told.map((value) => (Number.isNaN(value) ? 'no value' : String(+value.toPrecision(6)))).join(', ');
    setText(this.value, text === '' ? '…' : text === 'no value' ? text : ct ? `${text} HU` : `value ${text}`);
    setText(
      this.labels,
      layers
        .map((layer) => labelText(layer, place))
        .filter((one) => one !== '')
        .join('  '),
    );
    const mm = millimetersOf(geometry, place);
    setText(this.place, mm ? `x ${mm[0].toFixed(1)}  y ${mm[1].toFixed(1)}  z ${mm[2].toFixed(1)} mm (RAS)` : '');
    const voxel = voxelOf(geometry, place);
    setText(this.voxel, mm ? `voxel ${voxel.join(', ')}` : `pixel ${voxel[0]}, ${voxel[1]}`);
  }
}

/** What a layer says about the place; '' where it says nothing. */
function labelText({ info, look, plane }: ShownLayer, place: ViewerState['place']): string {
  const { across, down, through } = planeAxes[plane.plane];
  if (!look.visible || plane.index !== place[through]) return '';
  const i = place[down] * plane.width + place[across];
  if (info.content.kind === 'values') {
    const value = (plane.numbers[i] ?? Number.NaN) * plane.slope + plane.intercept;
    return Number.isFinite(value) ? `${info.title ?? info.name}: ${+value.toPrecision(3)}` : '';
  }
  const label = labelAt(plane, i);
  if (label === 0) return '';
  return `${label} ${info.content.labels.find(({ value }) => value === label)?.name ?? ''}`.trim();
}

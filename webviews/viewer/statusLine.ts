import { type ImageGeometry, millimetersOf, planeAxes, voxelOf } from '../../protocol/viewer/geometry.ts';
import { element, setText } from '../metrics/dom.ts';
import { valueAt } from './paint.ts';
import type { LoadedPlane } from './planeLoader.ts';
import type { ViewerState } from './state.ts';

/** What lies under the crosshair: its value, millimetres, and indices in the file. */
export class StatusLine {
  readonly root: HTMLElement;
  private readonly value = element('span', { className: 'value' });
  private readonly place = element('span', { className: 'place' });
  private readonly voxel = element('span', { className: 'voxel' });

  constructor() {
    const note = element('span', { className: 'note' }, 'Research use only');
    const attributes = { role: 'status', 'aria-label': 'Crosshair', 'aria-live': 'off' };
    this.root = element('footer', { className: 'status', attributes }, this.value, this.place, this.voxel, note);
  }

  show(geometry: ImageGeometry, state: ViewerState, planes: readonly (LoadedPlane | undefined)[], ct: boolean): void {
    const { place } = state;
    const plane = planes.find((one) => one && place[planeAxes[one.plane].through] === one.index);
    const values = plane
      ? valueAt(plane, place[planeAxes[plane.plane].across], place[planeAxes[plane.plane].down])
      : [];
    const text = values.map((value) => (Number.isNaN(value) ? 'no value' : String(+value.toPrecision(6)))).join(', ');
    setText(this.value, text === '' ? '…' : text === 'no value' ? text : ct ? `${text} HU` : `value ${text}`);
    const mm = millimetersOf(geometry, place);
    setText(this.place, mm ? `x ${mm[0].toFixed(1)}  y ${mm[1].toFixed(1)}  z ${mm[2].toFixed(1)} mm (RAS)` : '');
    const voxel = voxelOf(geometry, place);
    setText(this.voxel, mm ? `voxel ${voxel.join(', ')}` : `pixel ${voxel[0]}, ${voxel[1]}`);
  }
}

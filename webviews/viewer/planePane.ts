import { type PlaneName, planeAxes } from '../../protocol/viewer/geometry.ts';
import { element, setText } from '../shared/dom.ts';
import { pixelCanvas } from '../shared/plane.ts';
import { drawMeasurements } from './drawMeasurements.ts';
import { outlinesOf } from './outlines.ts';
import { paintImage, paintOverlays, type ShownLayer } from './paint.ts';
import { edgeLetters, isMirrored, type Placement, placeAt, placePlane } from './placement.ts';
import type { Shown } from './shown.ts';
import { draggedWindow, inside, type ViewerState, withPart } from './state.ts';

const lines: Readonly<Record<PlaneName, string>> = { axial: '#ff5c5c', coronal: '#6ee06e', sagittal: '#5cb3ff' };
const titles: Readonly<Record<PlaneName, string>> = { axial: 'Axial', coronal: 'Coronal', sagittal: 'Sagittal' };

/** One plane: its picture, the lines of the other two, letters at its edges; by wheel, mouse and keys. */
export class PlanePane {
  readonly root: HTMLElement;
  private readonly canvas = element('canvas');
  private readonly pixels = document.createElement('canvas');
  private readonly over = document.createElement('canvas');
  private readonly caption = element('span', { className: 'caption' });
  private readonly edges = { left: edge('left'), right: edge('right'), top: edge('top'), bottom: edge('bottom') };
  private shown: Shown | undefined;
  private painted: readonly unknown[] = [];
  private readonly outlines = new WeakMap<object, ReturnType<typeof outlinesOf>>();
  private readonly outlined = new WeakMap<object, readonly number[]>();
  private placement: Placement = { originX: 0, originY: 0, stepX: 1, stepY: 1 };
  private wheel = 0;

  constructor(
    private readonly name: PlaneName,
    private readonly change: (part: Partial<ViewerState>) => void,
    private readonly mark: (plane: PlaneName, place: readonly number[]) => void,
    resized: () => void,
  ) {
    const attributes = { role: 'slider', 'aria-label': `${titles[name]} plane`, 'aria-orientation': 'vertical' };
    const { left, right, top, bottom } = this.edges;
    this.root = element(
      'div',
      { className: `pane ${name}`, tabIndex: 0, attributes },
      this.canvas,
      this.caption,
      left,
      right,
      top,
      bottom,
    );
    this.root.addEventListener('wheel', (event) => this.turn(event), { passive: false });
    this.root.addEventListener('pointerdown', (event) => this.press(event));
    this.root.addEventListener('contextmenu', (event) => event.preventDefault());
    this.root.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(resized).observe(this.root);
  }

  /** The state from which the next key or drag goes on: several may come before a frame is drawn. */
  adopt(state: ViewerState): void {
    if (this.shown) this.shown = { ...this.shown, state };
  }

  draw(shown: Shown): void {
    this.shown = shown;
    const { kind, geometry, state, picture } = shown;
    const { through } = planeAxes[this.name];
    const count = geometry.shape[through];
    const index = picture?.plane.index ?? state.place[through];
    // A picture has no other planes.
    const ofThree = kind === 'volume';
    const name = ofThree ? `${titles[this.name]} plane` : 'Picture';
    setText(this.caption, ofThree ? `${titles[this.name]} ${index + 1}/${count}` : '');
    this.root.setAttribute('aria-label', name);
    this.root.setAttribute('aria-valuemin', '1');
    this.root.setAttribute('aria-valuemax', String(count));
    this.root.setAttribute('aria-valuenow', String(state.place[through] + 1));
    this.root.setAttribute('aria-valuetext', ofThree ? `${name} ${state.place[through] + 1} of ${count}` : name);
    const mirrored = isMirrored(geometry, this.name, state);
    for (const [side, letters] of Object.entries(edgeLetters(geometry, this.name, mirrored)))
      setText(this.edges[side as keyof typeof this.edges], letters);
    this.fit();
    this.placement = placePlane(geometry, this.name, this.canvas, state.zoom[this.name], mirrored);
    this.paint(shown);
  }

  /** As many canvas pixels as the screen has. */
  private fit(): void {
    const { clientWidth, clientHeight } = this.root;
    const ratio = globalThis.devicePixelRatio || 1;
    const [width, height] = [
      Math.max(1, Math.round(clientWidth * ratio)),
      Math.max(1, Math.round(clientHeight * ratio)),
    ];
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }

  private paint(shown: Shown): void {
    const { state, picture } = shown;
    const context = this.canvas.getContext('2d');
    if (!context) return;
    context.resetTransform();
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!picture) return;
    const { plane, window, colors, layers, compared } = picture;
    const from = [
      plane,
      window.low,
      window.high,
      colors,
      compared?.reference.plane,
      compared?.prediction.plane,
      ...layers.flatMap((one) => [one.plane, one.look]),
    ];
    if (from.length !== this.painted.length || from.some((part, i) => part !== this.painted[i])) {
      pixelCanvas(plane, (data) => paintImage(picture, data), this.pixels);
      if (layers.length > 0) pixelCanvas(plane, (data) => paintOverlays(picture, data), this.over);
      this.painted = from;
    }
    const { originX, originY, stepX, stepY } = this.placement;
    context.imageSmoothingEnabled = state.smooth;
    context.setTransform(stepX, 0, 0, stepY, originX, originY);
    context.drawImage(this.pixels, 0, 0);
    context.imageSmoothingEnabled = false;
    if (layers.length > 0) context.drawImage(this.over, 0, 0);
    context.resetTransform();
    for (const layer of picture.layers)
      if (compared ? layer === compared.reference : layer.look.style !== 'fill') this.drawOutlines(context, layer);
    if (state.crosshair) this.drawLines(context, state);
    drawMeasurements(context, this.name, this.placement, shown);
  }

  /** The canvas, for a picture of the view. */
  get drawing(): HTMLCanvasElement {
    return this.canvas;
  }

  /** Lines around labels, as thin on the screen however far the plane is zoomed. */
  private drawOutlines(context: CanvasRenderingContext2D, layer: ShownLayer): void {
    // A look is replaced when it changes, and a plane is not changed.
    let known = this.outlines.get(layer.plane);
    if (!known || this.outlined.get(layer.plane) !== layer.look.hidden) {
      known = outlinesOf(layer);
      this.outlines.set(layer.plane, known);
      this.outlined.set(layer.plane, layer.look.hidden);
    }
    const { originX, originY, stepX, stepY } = this.placement;
    const matrix = new DOMMatrix([stepX, 0, 0, stepY, originX, originY]);
    context.lineWidth = 1.5 * (globalThis.devicePixelRatio || 1);
    for (const [color, path] of known) {
      const line = new Path2D();
      line.addPath(path, matrix);
      context.strokeStyle = color;
      context.stroke(line);
    }
  }

  /** Where the other two planes cut this one; open around the place itself, so that it can be seen. */
  private drawLines(context: CanvasRenderingContext2D, { place }: ViewerState): void {
    const { across, down } = planeAxes[this.name];
    const { originX, originY, stepX, stepY } = this.placement;
    const x = originX + (place[across] + 0.5) * stepX;
    const y = originY + (place[down] + 0.5) * stepY;
    const gap = 8 * (globalThis.devicePixelRatio || 1);
    const { width, height } = this.canvas;
    const line = (color: string, points: readonly number[][]) => {
      context.strokeStyle = color;
      context.lineWidth = Math.max(1, globalThis.devicePixelRatio || 1);
      context.beginPath();
      for (const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] of points) {
        context.moveTo(x1, y1);
        context.lineTo(x2, y2);
      }
      context.stroke();
    };
    const planeThrough = (axis: number) =>
      (Object.keys(planeAxes) as PlaneName[]).find((name) => planeAxes[name].through === axis) ?? this.name;
    line(lines[planeThrough(across)], [
      [x, 0, x, y - gap],
      [x, y + gap, x, height],
    ]);
    line(lines[planeThrough(down)], [
      [0, y, x - gap, y],
      [x + gap, y, width, y],
    ]);
  }

  /** The wheel goes through the planes; with Ctrl it zooms. */
  private turn(event: WheelEvent): void {
    event.preventDefault();
    if (!this.shown) return;
    if (event.ctrlKey) {
      this.zoomBy(2 ** (-event.deltaY / 400), this.pointOf(event));
      return;
    }
    // A touch pad sends many small steps, a wheel one of about 100.
    this.wheel += event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / 50 : event.deltaY;
    const steps = Math.trunc(this.wheel);
    this.wheel -= steps;
    if (steps !== 0) this.step(Math.abs(steps) <= 2 ? Math.sign(steps) : steps);
  }

  private step(by: number): void {
    if (!this.shown) return;
    const { geometry, state } = this.shown;
    const { through } = planeAxes[this.name];
    this.change({ place: inside(geometry, withPart(state.place, through, state.place[through] + by)) });
  }

  private zoomBy(factor: number, at: readonly number[]): void {
    if (!this.shown) return;
    const { geometry, state } = this.shown;
    const old = state.zoom[this.name];
    const scale = Math.max(1, Math.min(64, old.scale * factor));
    const { across, down } = planeAxes[this.name];
    // What lies under the pointer stays there.
    const { stepX, stepY } = this.placement;
    const fromCentre = [(at[0] ?? 0) - this.canvas.width / 2, (at[1] ?? 0) - this.canvas.height / 2];
    const [width, height] = [Math.abs(stepX) * geometry.shape[across], stepY * geometry.shape[down]];
    const moved = 1 - old.scale / scale;
    const x = old.x + ((fromCentre[0] ?? 0) / width) * moved;
    const y = old.y + ((fromCentre[1] ?? 0) / height) * moved;
    this.change({ zoom: { ...state.zoom, [this.name]: scale === 1 ? { scale, x: 0, y: 0 } : { scale, x, y } } });
  }

  private pointOf(event: MouseEvent): [number, number] {
    const { left, top } = this.canvas.getBoundingClientRect();
    const ratio = this.canvas.width / Math.max(1, this.canvas.clientWidth);
    return [(event.clientX - left) * ratio, (event.clientY - top) * ratio];
  }

  /** Left: the crosshair. Right: the window. Middle, or left with Shift: moves the plane. */
  private press(event: PointerEvent): void {
    if (!this.shown) return;
    const { state, window } = this.shown;
    this.root.focus();
    event.preventDefault();
    const [startX, startY] = this.pointOf(event);
    if (event.button === 0 && !event.shiftKey && state.tool) {
      this.mark(this.name, placeAt(this.placement, this.name, state.place, startX, startY));
      return;
    }
    const zoom = state.zoom[this.name];
    const drag = (now: PointerEvent) => {
      if (!this.shown) return;
      const [x, y] = this.pointOf(now);
      const { geometry } = this.shown;
      if (event.button === 2) {
        const [right, down] = [(x - startX) / this.canvas.width, (y - startY) / this.canvas.height];
        this.change({ window: draggedWindow(window, right, down) });
      } else if (event.button === 1 || event.shiftKey) {
        const { across, down } = planeAxes[this.name];
        const width = Math.abs(this.placement.stepX) * geometry.shape[across];
        const height = this.placement.stepY * geometry.shape[down];
        const moved = { scale: zoom.scale, x: zoom.x - (x - startX) / width, y: zoom.y - (y - startY) / height };
        this.change({ zoom: { ...this.shown.state.zoom, [this.name]: moved } });
      } else {
        const place = placeAt(this.placement, this.name, this.shown.state.place, x, y);
        this.change({ place: inside(geometry, place) });
      }
    };
    const release = () => {
      this.root.removeEventListener('pointermove', drag);
      this.root.removeEventListener('pointerup', release);
      this.root.removeEventListener('pointercancel', release);
    };
    this.root.setPointerCapture(event.pointerId);
    this.root.addEventListener('pointermove', drag);
    this.root.addEventListener('pointerup', release);
    this.root.addEventListener('pointercancel', release);
    if (event.button === 0 && !event.shiftKey) drag(event);
  }

  /** Moves the plane in its pane. @param x, y shares of the pane's size */
  private pan(x: number, y: number): void {
    if (!this.shown) return;
    const { geometry, state } = this.shown;
    const { across, down } = planeAxes[this.name];
    const zoom = state.zoom[this.name];
    const width = Math.abs(this.placement.stepX) * geometry.shape[across];
    const height = this.placement.stepY * geometry.shape[down];
    const moved = {
      ...zoom,
      x: zoom.x - (x * this.canvas.width) / width,
      y: zoom.y - (y * this.canvas.height) / height,
    };
    this.change({ zoom: { ...state.zoom, [this.name]: moved } });
  }

  /** Where the crosshair is, canvas pixels. */
  private get crosshair(): [number, number] {
    const { across, down } = planeAxes[this.name];
    const { originX, originY, stepX, stepY } = this.placement;
    const place = this.shown?.state.place ?? [0, 0, 0];
    return [originX + (place[across] + 0.5) * stepX, originY + (place[down] + 0.5) * stepY];
  }

  private key(event: KeyboardEvent): void {
    if (!this.shown || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      const direction = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
      const [x, y] = direction[event.key as keyof typeof direction] ?? [];
      if (x === undefined || y === undefined) return;
      event.preventDefault();
      this.pan(x, y);
      return;
    }
    const { geometry, state } = this.shown;
    const { across, down, through } = planeAxes[this.name];
    const mirrored = isMirrored(geometry, this.name, state);
    const move = (axis: 0 | 1 | 2, by: number) =>
      this.change({ place: inside(geometry, withPart(state.place, axis, state.place[axis] + by)) });
    const to = (index: number) => this.change({ place: inside(geometry, withPart(state.place, through, index)) });
    const plain: Record<string, () => void> = {
      ArrowUp: () => this.step(-1),
      ArrowDown: () => this.step(1),
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      PageUp: () => this.step(-10),
      PageDown: () => this.step(10),
      Enter: () => this.mark(this.name, state.place),
      Home: () => to(0),
      End: () => to(geometry.shape[through] - 1),
      '+': () => this.zoomBy(1.25, this.crosshair),
      '=': () => this.zoomBy(1.25, this.crosshair),
      '-': () => this.zoomBy(0.8, this.crosshair),
    };
    const shifted: Record<string, () => void> = {
      ArrowUp: () => move(down, -1),
      ArrowDown: () => move(down, 1),
      ArrowLeft: () => move(across, mirrored ? 1 : -1),
      ArrowRight: () => move(across, mirrored ? -1 : 1),
      '+': () => this.zoomBy(1.25, this.crosshair),
    };
    const action = (event.shiftKey ? shifted : plain)[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

function edge(side: string): HTMLElement {
  return element('span', { className: `edge ${side}` });
}

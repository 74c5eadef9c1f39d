import { type PlaneName, planeAxes, planeNames } from '../../protocol/viewer/geometry.ts';
import type { OpenedImage, Reading, ViewerMessage, ViewerRequest } from '../../protocol/viewer/page.ts';
import type { ValueRange } from '../../protocol/viewer/planes.ts';
import { element, oncePerFrame, setText } from '../metrics/dom.ts';
import { type LoadedPlane, PlaneLoader } from './planeLoader.ts';
import { PlanePane } from './planePane.ts';
import { firstState, firstWindow, middleOf, type ViewerState } from './state.ts';
import { StatusLine } from './statusLine.ts';
import { Toolbar } from './toolbar.ts';

/** Before the image's values are known. */
const unknownRange: ValueRange = { low: 0, high: 1, ct: false };

/** The page: three linked planes of one image. */
export class ViewerApp {
  private readonly panes: Readonly<Record<PlaneName, PlanePane>>;
  private readonly toolbar: Toolbar;
  private readonly status = new StatusLine();
  private readonly notice = element('div', { className: 'notices', attributes: { role: 'alert' } });
  private readonly progress = element('progress', { className: 'reading', max: 1 });
  private readonly planes = element('main', { className: 'planes' });
  private readonly loader: PlaneLoader;
  private readonly redraw = oncePerFrame(() => this.draw());
  private image: OpenedImage | undefined;
  private range: ValueRange = unknownRange;
  private rangeKnown = false;
  private reading: Reading = { share: 0 };
  private state: ViewerState = firstState;

  constructor(root: HTMLElement, send: (request: ViewerRequest) => void) {
    const change = (part: Partial<ViewerState>) => this.change(part);
    const pane = (name: PlaneName) => new PlanePane(name, change, this.redraw);
    this.panes = { axial: pane('axial'), coronal: pane('coronal'), sagittal: pane('sagittal') };
    this.toolbar = new Toolbar(change);
    this.loader = new PlaneLoader((request) => send({ type: 'plane', ...request }), this.redraw);
    this.progress.setAttribute('aria-label', 'Reading the file');
    this.planes.append(...planeNames.map((name) => this.panes[name].root));
    root.append(this.toolbar.root, this.notice, this.progress, this.planes, this.status.root);
    root.classList.add('opening');
  }

  receive(message: ViewerMessage): void {
    switch (message.type) {
      case 'opened':
        this.open(message.image);
        break;
      case 'failed':
        this.fail(message.error, message.name);
        break;
      case 'reading':
        this.reading = message.reading;
        if (message.reading.failed) this.fail(message.reading.failed, 'Only a part of this image can be shown');
        this.loader.readMore(this.settled);
        break;
      case 'range':
        this.range = message.range;
        this.rangeKnown = true;
        break;
      case 'plane':
        void this.loader.receive(message.piece);
    }
    this.redraw();
  }

  private get settled(): boolean {
    return this.reading.share >= 1 || this.reading.failed !== undefined;
  }

  private open(image: OpenedImage): void {
    this.image = image;
    this.state = { ...this.state, place: middleOf(image.geometry) };
    document.body.classList.remove('opening');
    document.body.classList.toggle('picture', image.kind === 'picture');
    const notes = [...image.notices];
    if (image.kind === 'volume' && !image.geometry.spacingKnown)
      notes.push('has no voxel spacing in its header; millimetres assume 1 mm');
    for (const note of notes) this.tell('note', `This image ${note}.`);
  }

  private fail({ what, remedy }: { what: string; remedy?: string | undefined }, title: string): void {
    this.tell('error', `${title}: ${what}.${remedy ? ` ${remedy}` : ''}`);
    document.body.classList.remove('opening');
  }

  private tell(kind: string, text: string): void {
    const told = [...this.notice.children].some(({ textContent }) => textContent === text);
    if (!told) this.notice.append(element('p', { className: kind }, text));
  }

  private change(part: Partial<ViewerState>): void {
    this.state = { ...this.state, ...part };
    this.redraw();
  }

  private draw(): void {
    const { image, state } = this;
    if (!image) return;
    const { geometry } = image;
    const names = image.kind === 'picture' ? (['axial'] as const) : planeNames;
    const planes = Object.fromEntries(
      names.map((name) => [name, this.loader.get(name, state.place[planeAxes[name].through], !this.settled)]),
    ) as Partial<Record<PlaneName, LoadedPlane>>;
    const window = state.window ?? firstWindow(this.rangeKnown ? this.range : rangeOf(planes.axial));
    for (const name of planeNames) {
      this.panes[name].root.hidden = !names.some((one) => one === name) || (state.alone ?? name) !== name;
      if (!this.panes[name].root.hidden) this.panes[name].draw({ geometry, state, window, plane: planes[name] });
    }
    this.planes.classList.toggle('alone', state.alone !== undefined || names.length === 1);
    this.progress.hidden = this.settled;
    this.progress.value = this.reading.share;
    this.toolbar.show(state, window.low, window.high);
    this.status.show(geometry, state, Object.values(planes), this.range.ct);
    setText(document.querySelector('title') ?? this.notice, image.name);
  }
}

/** The extremes of one plane, for the time until the middle of the image has been read. */
function rangeOf(plane: LoadedPlane | undefined): ValueRange {
  if (!plane) return unknownRange;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const number of plane.numbers) {
    const value = number * plane.slope + plane.intercept;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low < high ? { low, high, ct: low < -500 } : unknownRange;
}

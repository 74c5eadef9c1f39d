import type { ErrorData } from '../../protocol/daemon/wireError.ts';
import { millimetersOf, type PlaneName, placeOf, planeAxes, planeNames } from '../../protocol/viewer/geometry.ts';
import type { LayerInfo, LayerLook } from '../../protocol/viewer/layers.ts';
import type { OpenedImage, Reading, ShownCase, ViewerMessage, ViewerRequest } from '../../protocol/viewer/page.ts';
import type { ValueRange } from '../../protocol/viewer/planes.ts';
import type { ImageSettings, ViewerOptions } from '../../protocol/viewer/settings.ts';
import { element, oncePerFrame, setText } from '../shared/dom.ts';
import { CaseBar } from './caseBar.ts';
import { composePicture, rangeOf, unknownRange } from './composePicture.ts';
import { acceptDrops } from './dropping.ts';
import { HeaderDialog } from './headerDialog.ts';
import { helpDialog } from './helpDialog.ts';
import { actOnKey } from './keys.ts';
import { MeasurePanel, withPoint } from './measurePanel.ts';
import { Notices } from './notices.ts';
import { OverlayPanel } from './overlayPanel.ts';
import type { ShownLayer } from './paint.ts';
import { PlaneLoaders } from './planeLoaders.ts';
import { PlanePane } from './planePane.ts';
import { toSettings } from './remembered.ts';
import { pictureOf } from './screenshot.ts';
import { SeenDialog } from './seenDialog.ts';
import { toggled, withCase, withComparison, withLayer, withoutLayer } from './shownLayers.ts';
import { firstState, firstWindow, inside, middleOf, type ValueWindow, type ViewerState } from './state.ts';
import { StatusLine } from './statusLine.ts';
import { Toolbar } from './toolbar.ts';

/** A view is kept when it has not changed for so long, ms. */
const keepAfter = 150;

/** The page: three linked planes of one image, and what is drawn over them. */
export class ViewerApp {
  private readonly panes: Readonly<Record<PlaneName, PlanePane>>;
  private readonly toolbar: Toolbar;
  private readonly overlays: OverlayPanel;
  private readonly measuring: MeasurePanel;
  private readonly header: HeaderDialog;
  private readonly seen: SeenDialog;
  private readonly status = new StatusLine();
  private readonly caseBar: CaseBar;
  private readonly help = helpDialog();
  private readonly notices = new Notices();
  private readonly progress = element('progress', { className: 'reading', max: 1 });
  private readonly planes = element('div', { className: 'planes' });
  private readonly heading = element('h1', { className: 'unseen' });
  private readonly redraw = oncePerFrame(() => this.draw());
  private readonly loaders = new PlaneLoaders(
    (request) => this.send({ type: 'plane', ...request, volume: this.image?.volume }),
    this.redraw,
  );
  private layers: readonly LayerInfo[] = [];
  private image: OpenedImage | undefined;
  private range: ValueRange | undefined;
  private reading: Reading = { share: 0 };
  private state: ViewerState = firstState;
  private options: ViewerOptions = { convention: 'radiological', windows: {}, predict: false };
  private settings: ImageSettings | undefined;
  private shownWindow: ValueWindow = unknownRange;
  private keeping: ReturnType<typeof setTimeout> | undefined;

  constructor(
    root: HTMLElement,
    private readonly send: (request: ViewerRequest) => void,
  ) {
    const change = (part: Partial<ViewerState>) => this.change(part);
    const pane = (name: PlaneName) =>
      new PlanePane(name, change, (plane, place) => this.mark(plane, place), this.redraw);
    this.panes = { axial: pane('axial'), coronal: pane('coronal'), sagittal: pane('sagittal') };
    this.toolbar = new Toolbar({
      change,
      convention: (convention) => send({ type: 'convention', convention }),
      volume: (volume) => send({ type: 'volume', volume }),
      reset: () => this.reset(),
      screenshot: () => void this.savePicture(),
      volume3D: () => {
        // It shows the labels as the planes do.
        this.keepNow();
        send({ type: 'volume3D' });
      },
      help: () => this.help.showModal(),
      header: () => send({ type: 'header', revealed: false }),
    });
    this.seen = new SeenDialog({
      again: (epoch) => send({ type: 'seen', epoch }),
      attention: () => send({ type: 'attention' }),
      similar: () => send({ type: 'similar' }),
      open: (index) => send({ type: 'openSimilar', index }),
    });
    this.header = new HeaderDialog((revealed) => send({ type: 'header', revealed }));
    this.measuring = new MeasurePanel(change, ({ points }) => this.goTo(points[0]));
    this.overlays = new OverlayPanel({
      look: (layer, part) => this.look(layer, part),
      compare: (compare) => change(withComparison(this.state, compare)),
      jump: (place) => change({ place }),
      add: () => send({ type: 'addOverlay' }),
      predict: () => send({ type: 'predict' }),
      seen: () => send({ type: 'seen' }),
      remove: (layer) => send({ type: 'removeLayer', layer }),
    });
    this.overlays.root.append(this.measuring.root);
    this.caseBar = new CaseBar((by) => send({ type: 'nextCase', by }));
    this.progress.setAttribute('aria-label', 'Reading the file');
    this.planes.append(...planeNames.map((name) => this.panes[name].root), this.overlays.root);
    const main = element(
      'main',
      {},
      this.notices.root,
      this.caseBar.root,
      this.progress,
      this.planes,
      this.status.root,
    );
    root.append(
      element('header', {}, this.heading, this.toolbar.root),
      main,
      this.help,
      this.header.root,
      this.seen.root,
    );
    root.classList.add('opening');
    root.addEventListener('keydown', (event) => this.key(event));
    acceptDrops(root, (uris) => send({ type: 'dropped', uris }));
  }

  receive(message: ViewerMessage): void {
    switch (message.type) {
      case 'options':
        this.options = message.options;
        this.state = { ...this.state, convention: message.options.convention };
        this.overlays.offerPrediction(message.options.predict);
        break;
      case 'settings':
        this.settings = message.settings;
        break;
      case 'opened':
        this.open(message.image);
        break;
      case 'failed':
        this.fail(message.name, message.error);
        break;
      case 'reading':
        this.reading = message.reading;
        if (message.reading.failed) this.fail('Only a part of this image can be shown', message.reading.failed);
        this.loaders.of(0).readMore(this.settled);
        break;
      case 'range':
        this.range = message.range;
        break;
      case 'layer':
        this.addLayer(message.layer);
        break;
      case 'case':
        this.showCase(message.case);
        break;
      case 'layerRemoved':
        this.removeLayer(message.layer);
        break;
      case 'header':
        this.header.open(message.header);
        break;
      case 'seen':
        this.seen.open(message.seen);
        break;
      case 'similar':
        this.seen.showSimilar(message.similar);
        break;
      case 'goTo':
        this.follow(message.millimeters);
        break;
      case 'layerFailed':
        this.fail(`${message.name} cannot be drawn over this image`, message.error);
        break;
      case 'plane':
        // Of the volume that was shown before, pieces may still come.
        if (message.volume === this.image?.volume) void this.loaders.of(message.piece.layer).receive(message.piece);
    }
    this.redraw();
  }

  private get settled(): boolean {
    return this.reading.share >= 1 || this.reading.failed !== undefined;
  }

  private open(image: OpenedImage): void {
    const again = this.image !== undefined;
    this.image = image;
    const { geometry } = image;
    const { settings } = this;
    this.toolbar.offerVolumes(image.volumes, image.volume);
    this.toolbar.offerPlanes(image.kind === 'volume');
    if (again) {
      // Another volume of the same file, in the same grid.
      this.loaders.forgetAll();
      this.layers = [];
      this.range = undefined;
      this.reading = { share: 0 };
      this.keep();
      return;
    }
    this.state = {
      ...this.state,
      ...(settings && { ...this.fromSettings(settings) }),
      place: settings ? inside(geometry, settings.place) : middleOf(geometry),
    };
    document.body.classList.remove('opening');
    const notes = [...image.notices];
    if (image.kind === 'volume' && !geometry.spacingKnown)
      notes.push('has no voxel spacing in its header; millimetres assume 1 mm');
    for (const note of notes) this.notices.note(`This image ${note}.`);
  }

  private fromSettings({ window, alone, smooth, crosshair, linked, colors }: ImageSettings): Partial<ViewerState> {
    return { window, alone, smooth, crosshair, linked, colors };
  }

  private addLayer(info: LayerInfo): void {
    const others = this.layers.filter(({ layer }) => layer !== info.layer);
    if (others.length < this.layers.length) this.loaders.renew(info.layer);
    this.layers = [...others, info].sort((a, b) => a.layer - b.layer);
    this.state = { ...this.state, ...withLayer(this.state, info, { layers: this.layers, settings: this.settings }) };
  }

  private showCase(shown: ShownCase): void {
    this.caseBar.show(shown);
    if (shown.compared) this.change(withCase(this.state, shown.compared));
  }

  private removeLayer(removed: number): void {
    this.layers = this.layers.filter(({ layer }) => layer !== removed);
    this.loaders.forget(removed);
    this.change(withoutLayer(this.state, removed));
  }

  private fail(title: string, error: ErrorData): void {
    this.notices.fail(title, error);
    document.body.classList.remove('opening');
    document.body.classList.toggle('failed', !this.image);
  }

  /** Another image's crosshair has moved. */
  private follow(millimeters: readonly number[]): void {
    const { image, state } = this;
    const place = image && state.linked ? placeOf(image.geometry, millimeters) : null;
    if (!image || !place) return;
    const there = inside(image.geometry, place);
    // Outside of this image there is nothing to go to.
    if (place.every((part, axis) => Math.abs(part - (there[axis] ?? 0)) <= 1)) this.state = { ...state, place: there };
  }

  private goTo(place: readonly number[] | undefined): void {
    if (this.image && place) this.change({ place: inside(this.image.geometry, place) });
  }

  /** A point of a measurement. */
  private mark(plane: PlaneName, [s = 0, r = 0, c = 0]: readonly number[]): void {
    const index = this.state.place[planeAxes[plane].through];
    if (this.state.tool) this.change({ measurements: withPoint(this.state, { plane, index, point: [s, r, c] }) });
  }

  private change(part: Partial<ViewerState>): void {
    this.state = { ...this.state, ...part };
    for (const pane of Object.values(this.panes)) pane.adopt(this.state);
    this.redraw();
    const millimeters = part.place && this.state.linked && this.image && millimetersOf(this.image.geometry, part.place);
    if (millimeters) this.send({ type: 'moved', millimeters });
    this.keep();
  }

  private keep(): void {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keepNow(), keepAfter);
  }

  private keepNow(): void {
    clearTimeout(this.keeping);
    if (this.image) this.send({ type: 'settings', settings: toSettings(this.state, this.layers, this.image) });
  }

  private look(layer: number, part: Partial<LayerLook>): void {
    const look = this.state.looks[layer];
    if (look) this.change({ looks: { ...this.state.looks, [layer]: { ...look, ...part } } });
  }

  private reset(): void {
    const { zoom, colors } = firstState;
    if (this.image) this.change({ place: middleOf(this.image.geometry), window: undefined, zoom, colors });
  }

  private async savePicture(): Promise<void> {
    if (this.image) this.send({ type: 'screenshot', png: await pictureOf(this.panes) });
  }

  private key(event: KeyboardEvent): void {
    const { target } = event;
    const typing =
      target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type !== 'checkbox');
    if (event.defaultPrevented || typing || event.ctrlKey || event.metaKey || event.altKey || !this.image) return;
    const acted = actOnKey(event.key, this.state, this.shownWindow, {
      change: (part) => this.change(part),
      toggleOverlays: () => this.change(toggled(this.state)),
      reset: () => this.reset(),
      screenshot: () => void this.savePicture(),
      help: () => this.help.showModal(),
      header: () => this.send({ type: 'header', revealed: false }),
      nextCase: (by) => this.send({ type: 'nextCase', by }),
    });
    if (acted) event.preventDefault();
  }

  private draw(): void {
    const { image, state } = this;
    if (!image) return;
    const { geometry } = image;
    const names = image.kind === 'picture' ? (['axial'] as const) : planeNames;
    const shown = names.filter((name) => (state.alone ?? name) === name || names.length === 1);
    const planes = new Map(
      shown.map((name) => [name, this.loaders.of(0).get(name, state.place[planeAxes[name].through], !this.settled)]),
    );
    const range = this.range ?? rangeOf(planes.get('axial'));
    const window = state.window ?? firstWindow(range);
    this.shownWindow = window;
    let layersHere: readonly ShownLayer[] = [];
    for (const name of planeNames) {
      const pane = this.panes[name];
      pane.root.hidden = !shown.some((one) => one === name);
      if (pane.root.hidden) continue;
      const plane = planes.get(name);
      const picture =
        plane && composePicture(name, { plane, window }, { layers: this.layers, loaders: this.loaders }, state);
      pane.draw({ kind: image.kind, geometry, state, window, picture, ct: range.ct });
      if (picture && layersHere.length === 0) layersHere = picture.layers;
    }
    this.planes.classList.toggle('alone', shown.length === 1);
    this.progress.hidden = this.settled;
    this.progress.value = this.reading.share;
    this.toolbar.offer(range.ct, this.options.windows);
    this.toolbar.show(state, window.low, window.high);
    this.overlays.show(this.layers, state, image.kind);
    this.measuring.show(geometry, state, [...planes.values()], range.ct ? ' HU' : '');
    this.status.show(geometry, state, [...planes.values()], layersHere, range.ct);
    setText(this.heading, image.name);
    setText(document.querySelector('title') ?? this.heading, image.name);
  }
}

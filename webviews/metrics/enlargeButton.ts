import { element } from '../shared/dom.ts';

/** Makes a chart large, or small again. The keyboard reaches it by Enter on the chart: one tab stop is enough for a grid. */
export class EnlargeButton {
  readonly root = element('button', { className: 'icon-button enlarge', type: 'button', tabIndex: -1 });

  /** @param title of the chart */
  constructor(
    private readonly title: string,
    pressed: () => void,
  ) {
    this.root.append(corners());
    this.root.addEventListener('click', pressed);
  }

  show(enlarged: boolean): void {
    this.root.setAttribute('aria-pressed', String(enlarged));
    this.root.setAttribute('aria-label', `${enlarged ? 'Shrink' : 'Enlarge'} ${this.title}`);
    this.root.title = enlarged ? 'Shrink' : 'Enlarge';
  }
}

/** The icon for enlarging, as the editor's `screen-full`: four corners. */
function corners(): SVGElement {
  const icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [name, value] of Object.entries({
    viewBox: '0 0 16 16',
    width: '16',
    height: '16',
    'aria-hidden': 'true',
  }))
    icon.setAttribute(name, value);
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', 'M2.5 6V2.5H6 M10 2.5h3.5V6 M13.5 10v3.5H10 M6 13.5H2.5V10');
  icon.append(path);
  return icon;
}

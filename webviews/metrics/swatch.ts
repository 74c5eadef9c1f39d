const svg = 'http://www.w3.org/2000/svg';

/** Dashes of runs by their place in the palette, in CSS pixels: runs differ without colour too. */
export const runDashes: readonly (readonly number[] | undefined)[] = [
  undefined,
  [7, 3],
  [2, 2],
  [10, 3, 2, 3],
  [4, 4],
  [14, 4],
  [1, 3],
  [6, 2, 2, 2, 2, 2],
];

/** A short line in the colour and dash of a run. */
export class Swatch {
  readonly root = document.createElementNS(svg, 'svg');
  private readonly line = document.createElementNS(svg, 'line');

  constructor(color = '', dash: readonly number[] | undefined = undefined) {
    const set = (node: Element, attributes: Record<string, string>) => {
      for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    };
    set(this.root, { class: 'swatch', viewBox: '0 0 24 6', width: '24', height: '6', 'aria-hidden': 'true' });
    set(this.line, { x1: '0', y1: '3', x2: '24', y2: '3', 'stroke-width': '3' });
    this.root.append(this.line);
    this.show(color, dash);
  }

  show(color: string, dash: readonly number[] | undefined): void {
    this.line.setAttribute('stroke', color);
    this.line.setAttribute('stroke-dasharray', dash?.join(' ') ?? 'none');
  }
}

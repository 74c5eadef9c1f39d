/** Where a text is drawn, canvas pixels. */
export interface TextBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The place nearest to a wanted one, above or below it, where a text lies inside the canvas and covers no other text. Where there is none, the
 * wanted one.
 */
export function freePlace(
  wanted: TextBox,
  others: readonly TextBox[],
  canvas: Pick<TextBox, 'width' | 'height'>,
): TextBox {
  const within = (value: number, most: number) => Math.max(0, Math.min(value, most));
  const inside = (y: number): TextBox => ({
    ...wanted,
    x: within(wanted.x, canvas.width - wanted.width),
    y: within(y, canvas.height - wanted.height),
  });
  const first = inside(wanted.y);
  // A free place touches the wanted one or an edge of another text.
  const candidates = others.flatMap(({ y, height }) => [y - wanted.height, y + height]).map(inside);
  const free = [first, ...candidates].filter((box) => !others.some((other) => overlap(box, other)));
  const distance = (box: TextBox) => Math.abs(box.y - first.y);
  return free.reduce((best, box) => (distance(box) < distance(best) ? box : best), free[0] ?? first);
}

function overlap(a: TextBox, b: TextBox): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

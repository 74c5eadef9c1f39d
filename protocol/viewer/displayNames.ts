/** Names of ways to show an image. Without zod, so that the page needs none: zod tries whether it may compile code, which the page's policy refuses. */
export const conventions = ['radiological', 'neurological'] as const;
export const colorMapNames = ['grey', 'inverted', 'hot', 'viridis'] as const;
export type ColorMapName = (typeof colorMapNames)[number];

/** A layer's name in an image's settings: its path, or '' for the image's own labels, which move with the image. */
export function lookKey({ layer, path }: { readonly layer: number; readonly path: string }): string {
  return layer === 0 ? '' : path;
}

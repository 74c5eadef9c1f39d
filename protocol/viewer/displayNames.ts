/** Names of ways to show an image. Without zod, so that the page needs none: zod tries whether it may compile code, which the page's policy refuses. */
export const conventions = ['radiological', 'neurological'] as const;
export const colorMapNames = ['grey', 'inverted', 'hot', 'viridis'] as const;
export type ColorMapName = (typeof colorMapNames)[number];

import type { Place } from './geometry.ts';
import type { ValueRange } from './planes.ts';

/** A label of a label map. */
export interface LabelInfo {
  readonly value: number;
  readonly name: string;
  readonly voxels: number;
  /** Its volume; undefined where the header says no spacing. */
  readonly milliliters: number | undefined;
  /** The slice, row and column with the most voxels of it. */
  readonly largest: Place;
}

/** An image that is drawn over another one. */
export interface LayerInfo {
  readonly layer: number;
  readonly name: string;
  /** How it is called; without it, by its path. */
  readonly title?: string | undefined;
  readonly path: string;
  /** The user added it: it is added again when the image is opened again. Others belong to the image by their names. */
  readonly added: boolean;
  readonly content: LayerContent;
  /** What is worth knowing: sentences without a subject, which is the layer. */
  readonly notices: readonly string[];
}

/** Labels, or values such as probabilities. */
export type LayerContent =
  | { readonly kind: 'labels'; readonly labels: readonly LabelInfo[] }
  | { readonly kind: 'values'; readonly range: Pick<ValueRange, 'low' | 'high'> };

/** How a layer is drawn. */
export interface LayerLook {
  readonly visible: boolean;
  readonly style: 'fill' | 'outline' | 'both';
  /** 0 to 1. */
  readonly opacity: number;
  /** Labels that are switched off. */
  readonly hidden: readonly number[];
}

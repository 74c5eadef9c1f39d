import { z } from 'zod';
import type { LabelInfo } from './layers.ts';

/** A label in 3D. */
export interface DrawnLabel extends Pick<LabelInfo, 'value' | 'name'> {
  /** Whether it is on, as in the planes. */
  readonly shown: boolean;
}

/** A volume for the 3D view, to its page. */
export interface VolumeMessage {
  readonly type: 'volume';
  readonly name: string;
  /** NIfTI files of few voxels. */
  readonly image: Uint8Array;
  /** Values from transparent to opaque. */
  readonly low: number;
  readonly high: number;
  readonly ct: boolean;
  readonly labels: { readonly file: Uint8Array; readonly list: readonly DrawnLabel[] } | undefined;
}

/** Labels were switched on or off in the planes. */
export interface VolumeLabelsMessage {
  readonly type: 'labels';
  /** As in the volume. */
  readonly list: readonly DrawnLabel[];
}

/** From the page of the 3D view; checked, since a page is a border. */
export const volumeRequest = z.object({ type: z.literal('ready') });

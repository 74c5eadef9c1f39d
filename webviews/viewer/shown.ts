import type { ImageGeometry } from '../../protocol/viewer/geometry.ts';
import type { OpenedImage } from '../../protocol/viewer/page.ts';
import type { Picture } from './paint.ts';
import type { ValueWindow, ViewerState } from './state.ts';

/** What a pane needs to draw itself. */
export interface Shown {
  readonly kind: OpenedImage['kind'];
  readonly geometry: ImageGeometry;
  readonly state: ViewerState;
  readonly window: ValueWindow;
  /** undefined: no plane has come yet. */
  readonly picture: Picture | undefined;
  readonly ct: boolean;
}

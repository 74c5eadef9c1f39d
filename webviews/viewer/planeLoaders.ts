import type { PlaneRequest } from '../../protocol/viewer/planes.ts';
import { PlaneLoader } from './planeLoader.ts';

/** What fetches the planes of the image (0) and of its overlays, by layer. */
export class PlaneLoaders {
  private readonly byLayer: PlaneLoader[] = [];

  /** @param arrived called when a plane has come */
  constructor(
    private readonly ask: (request: PlaneRequest) => void,
    private readonly arrived: () => void,
  ) {}

  of(layer: number): PlaneLoader {
    const known = this.byLayer[layer];
    if (known) return known;
    const made = new PlaneLoader(layer, this.ask, this.arrived);
    this.byLayer[layer] = made;
    return made;
  }

  /** A layer has changed: its planes are fetched anew, and drawn as before until they come. */
  renew(layer: number): void {
    this.byLayer[layer]?.renew();
  }

  forget(layer: number): void {
    delete this.byLayer[layer];
  }

  forgetAll(): void {
    this.byLayer.length = 0;
  }
}

import type { Image2D, Volume } from '../types.ts';

/** Decoded images in memory, up to a number of bytes; removes the least recently used first. */
export class DecodedCache {
  private readonly images = new Map<string, Image2D | Volume>();
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  get(id: string): Image2D | Volume | undefined {
    const image = this.images.get(id);
    if (image) {
      this.images.delete(id);
      this.images.set(id, image);
    }
    return image;
  }

  /** Keeps an image, unless it alone would take more than a quarter of the space. */
  set(id: string, image: Image2D | Volume): void {
    const size = image.data.byteLength;
    if (size > this.maxBytes / 4 || this.images.has(id)) return;
    this.images.set(id, image);
    this.bytes += size;
    for (const [oldest, { data }] of this.images) {
      if (this.bytes <= this.maxBytes) break;
      this.images.delete(oldest);
      this.bytes -= data.byteLength;
    }
  }
}

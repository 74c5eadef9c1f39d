import type { Random } from '../random.ts';
import type { Range } from './options.ts';

/** A rectangle of pixels: whole numbers, at least 1 × 1, inside its image. */
export type Box = { top: number; left: number; height: number; width: number };

const tries = 10;

/**
 * A box with a random share of the image's area and a random aspect ratio (width / height; uniform in its logarithm), anywhere in
 * the image, like torchvision's RandomResizedCrop. If ten draws do not fit (long, thin images), it is the largest central box
 * with an aspect ratio in the range.
 */
export function randomCropBox(
  random: Random,
  imageHeight: number,
  imageWidth: number,
  area: Range,
  aspect: Range,
): Box {
  const logAspect = [Math.log(aspect[0]), Math.log(aspect[1])] as const;
  for (let i = 0; i < tries; i++) {
    const target = imageHeight * imageWidth * random.uniform(area[0], area[1]);
    const ratio = Math.exp(random.uniform(logAspect[0], logAspect[1]));
    const width = Math.round(Math.sqrt(target * ratio));
    const height = Math.round(Math.sqrt(target / ratio));
    if (width > 0 && height > 0 && width <= imageWidth && height <= imageHeight)
      return { top: random.int(imageHeight - height + 1), left: random.int(imageWidth - width + 1), height, width };
  }
  return centralBox(imageHeight, imageWidth, aspect);
}

function centralBox(imageHeight: number, imageWidth: number, aspect: Range): Box {
  const ratio = imageWidth / imageHeight;
  const width = ratio > aspect[1] ? Math.max(1, Math.round(imageHeight * aspect[1])) : imageWidth;
  const height = ratio < aspect[0] ? Math.max(1, Math.round(imageWidth / aspect[0])) : imageHeight;
  return {
    top: Math.floor((imageHeight - height) / 2),
    left: Math.floor((imageWidth - width) / 2),
    height,
    width,
  };
}

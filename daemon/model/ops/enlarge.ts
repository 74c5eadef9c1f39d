import { differentiable, reshape, resizeLinear, resizeLinearGradient, type Tensor } from '../../engine/ops/index.ts';

/**
 * A map doubled in the plane by linear interpolation (align_corners false); its slices are pictures of their own.
 * @param x [B, …, h, w, C]
 * @returns [B, …, 2h, 2w, C]
 */
export function enlarge(x: Tensor): Tensor {
  const [height, width, channels] = x.shape.slice(-3) as [number, number, number];
  const small = [x.size / (height * width * channels), height, width, channels];
  const large = [...x.shape.slice(0, -3), 2 * height, 2 * width, channels];
  return differentiable(
    [x],
    (save) => {
      save(x);
      return reshape(resizeLinear(reshape(x, small), [2 * height, 2 * width]), large);
    },
    (dy, [x]) => {
      const pictures = reshape(dy, [small[0]!, 2 * height, 2 * width, channels]);
      return [reshape(resizeLinearGradient(pictures, reshape(x!, small)), x!.shape)];
    },
  );
}

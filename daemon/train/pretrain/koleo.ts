import type { Modality } from '../../../protocol/modality.ts';
import {
  add,
  argMax,
  constant,
  differentiable,
  exactMatMul,
  log,
  maximum,
  mul,
  oneHot,
  reciprocal,
  reshape,
  rows,
  sqrt,
  sub,
  sum,
  type Tensor,
} from '../../engine/ops/index.ts';
import { unitRows } from '../../model/ops/lastLayer.ts';
import { total } from '../../model/ops/total.ts';
import type { Outputs } from './loss.ts';

const epsilon = 1e-8;

/**
 * KoLeo's regulariser (Sablayrolles et al. 2019, "Spreading vectors for similarity search", equation 4; DINOv2, Oquab et al. 2023,
 * section 4): minus the mean logarithm of the distance from each row to its nearest other row. It spreads rows evenly.
 * @param x unit vectors [B, K], B ≥ 2
 *
 * With m the cosine to the nearest row n(i) and d = √(2 − 2m): dm = dy / (B (d + ε) d), dx_i += dm_i x_n(i), dx_n(i) += dm_i x_i.
 */
export function koleo(x: Tensor): Tensor {
  const count = x.shape[0]!;
  return differentiable(
    [x],
    (save) => {
      const self = constant(
        Float32Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 4 : 0)),
        [count, count],
      );
      const cosines = sub(exactMatMul(x, x, false, true), self);
      const nearest = oneHot(argMax(cosines), count);
      const cosine = sum(mul(cosines, nearest), [1], true);
      const distance = sqrt(maximum(sub(2, mul(cosine, 2)), epsilon));
      save(x, nearest, distance);
      return mul(sum(log(add(distance, epsilon))), -1 / count);
    },
    (dy, [x, nearest, distance]) => {
      const slope = mul(reciprocal(mul(add(distance!, epsilon), distance!)), mul(dy, 1 / count));
      const pairs = mul(nearest!, reshape(slope, [count, 1]));
      return [add(exactMatMul(pairs, x!), exactMatMul(pairs, x!, true))];
    },
  );
}

/**
 * `koleo` of the head's bottlenecks, each view and each output on its own, summed, as DINOv2 sums it over crops (there on class
 * tokens). Slices of a volume count by their mean, a unit vector again.
 * @param bottlenecks [2B, K] each
 */
export function koleoOf(phase: Modality, bottlenecks: Outputs): Tensor {
  const unit = phase === '2D' ? [bottlenecks.image!] : [bottlenecks.volume!, unitRows(bottlenecks.slices!)];
  const half = unit[0]!.shape[0]! / 2;
  return total(unit.flatMap((both) => [koleo(rows(both, 0, half)), koleo(rows(both, half, half))]));
}

/** x times a number. Gradient: dy times the number. */
export function weighted(x: Tensor, weight: number): Tensor {
  return differentiable(
    [x],
    () => mul(x, weight),
    (dy) => [mul(dy, weight)],
  );
}

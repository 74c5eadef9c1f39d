import { dense, differentiable, matMul, reshape, sumRows, type Tensor } from '../../engine/ops/index.ts';

/** A convolution with a kernel of 1: a dense layer on the channels of each cell. */
export interface ClassifierParameters {
  /** [1, …, C, K], our layout of convolutions. */
  readonly weight: Tensor;
  /** [K] */
  readonly bias: Tensor;
}

/** The kernel of a classifier as a matrix [C, K]. Without gradient of its own. */
export function classifierMatrix(weight: Tensor): Tensor {
  return reshape(weight, weight.shape.slice(-2));
}

/**
 * y = x W + b for each cell.
 * @param x [B, …grid, C]
 * @returns [B, …grid, K]
 *
 * Gradient: dx = dy Wᵀ, dW = xᵀ dy, db = Σ dy.
 */
export function classify(x: Tensor, { weight, bias }: ClassifierParameters): Tensor {
  const [inputs, outputs] = weight.shape.slice(-2) as [number, number];
  const rowsOf = (map: Tensor, channels: number) => reshape(map, [map.size / channels, channels]);
  return differentiable(
    [x, weight, bias],
    (save) => {
      save(x, weight);
      const y = dense(rowsOf(x, inputs), classifierMatrix(weight), bias, { transposed: true });
      return reshape(y, [...x.shape.slice(0, -1), outputs]);
    },
    (dy, [x, weight]) => {
      const dRows = rowsOf(dy, outputs);
      return [
        reshape(matMul(dRows, classifierMatrix(weight!), false, true), x!.shape),
        reshape(matMul(rowsOf(x!, inputs), dRows, true), weight!.shape),
        sumRows(dRows),
      ];
    },
  );
}

/**
 * Floating-point operations of the products in a StableHLO module, a multiplication and an addition each: what a step asks of the
 * units that a card's peak is about. Zeros that a dilation inserts do not count, so a convolution's gradients count as much as itself.
 */
export function productFlops(module: string): number {
  return module
    .split('\n')
    .map((line) => dotFlops(line) ?? convolutionFlops(line) ?? 0)
    .reduce((sum, flops) => sum + flops, 0);
}

function dotFlops(line: string): number | undefined {
  if (!line.includes('stablehlo.dot_general')) return undefined;
  const { operands, result } = typesOf(line);
  const [contracted] = listAfter(line, 'contracting_dims = ');
  return 2 * size(result) * size((contracted ?? []).map((axis) => operands[0]?.[axis] ?? 1));
}

function convolutionFlops(line: string): number | undefined {
  if (!line.includes('stablehlo.convolution')) return undefined;
  const { operands, result } = typesOf(line);
  const [image = [], kernel = []] = operands;
  const names = /dim_numbers = \[([^\]]*)\]x\[([^\]]*)\]->\[([^\]]*)\]/.exec(line);
  const [, , ofKernel = '', ofResult = ''] = names ?? [];
  const axes = ofKernel.split(',').map((axis) => axis.trim());
  const window = size(kernel.filter((_, i) => /^\d+$/.test(axes[i] ?? '')));
  const dilated = listsIn(/lhs_dilate = (\[[^\]]*\])/.exec(line)?.[1] ?? '')
    .flat()
    .some((n) => n > 1);
  // The gradient by the input: each value of the dilated operand meets each weight once.
  if (dilated) return 2 * size(image) * window * (result[ofResult.split(',').findIndex((a) => a.trim() === 'f')] ?? 1);
  return 2 * size(result) * window * (kernel[axes.indexOf('i')] ?? 1);
}

/** Shapes in the signature at a line's end: `: (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>`. */
function typesOf(line: string): { operands: number[][]; result: number[] } {
  const shapes = [...line.slice(line.lastIndexOf(' : (')).matchAll(/tensor<([^>]*)>/g)].map(([, text = '']) =>
    text.split('x').slice(0, -1).map(Number),
  );
  return { operands: shapes.slice(0, -1), result: shapes.at(-1) ?? [] };
}

function listAfter(line: string, mark: string): number[][] {
  return listsIn(line.slice(line.indexOf(mark) + mark.length));
}

function listsIn(text: string): number[][] {
  return [...text.matchAll(/\[([\d, ]*)\]/g)].map(([, inner = '']) =>
    inner
      .split(',')
      .filter((n) => n.trim() !== '')
      .map(Number),
  );
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

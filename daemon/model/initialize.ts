import type { ParameterForm } from './parameters.ts';

/** Returns the next number, uniform in [0, 1). */
export type Draw = () => number;

/** A standard normal number (Box and Muller 1958). */
function normal(draw: Draw): number {
  return Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
}

/** Normal with deviation 0.02, cut at ±2. The bounds are absolute, as in the reference, so in practice they cut nothing. */
function truncatedNormal(draw: Draw): number {
  for (;;) {
    const value = 0.02 * normal(draw);
    if (Math.abs(value) <= 2) return value;
  }
}

function product(lengths: readonly number[]): number {
  return lengths.reduce((all, length) => all * length, 1);
}

function symmetric(draw: Draw, bound: number): number {
  return bound * (2 * draw() - 1);
}

/** The rule for one element of a parameter. */
function rule(spec: ParameterForm, draw: Draw): () => number {
  const { kind, shape } = spec;
  const kernel = product(shape.slice(2));
  switch (kind) {
    case 'linear':
    case 'token':
      return () => truncatedNormal(draw);
    case 'conv': {
      // He et al. 2015 by the fan-out, for a leaky slope of 0: √(2 / (out · kernel)).
      const deviation = Math.sqrt(2 / (shape[0]! * kernel));
      return () => deviation * normal(draw);
    }
    case 'transposedConv': {
      const bound = 1 / Math.sqrt(shape[1]! * kernel);
      return () => symmetric(draw, bound);
    }
    case 'convBias': {
      const bound = 1 / Math.sqrt(spec.fanIn!);
      return () => symmetric(draw, bound);
    }
    case 'direction': {
      const bound = 1 / Math.sqrt(shape[1]!);
      return () => symmetric(draw, bound);
    }
    case 'bias':
    case 'shift':
      return () => 0;
    case 'gain':
    case 'magnitude':
      return () => 1;
  }
}

/**
 * First values of a parameter, in the reference's layout. The rules are those of the reference
 * implementation of UniMiSS (Xie et al., ECCV 2022), with PyTorch's defaults for layers that it does not initialise.
 * @param draw should depend on the run's seed and the parameter's name, so that the values of a parameter do not depend on the
 *   sizes of others
 */
export function initialValues(spec: ParameterForm, draw: Draw): Float32Array {
  const values = new Float32Array(product(spec.shape));
  const next = rule(spec, draw);
  for (let i = 0; i < values.length; i++) values[i] = next();
  return values;
}

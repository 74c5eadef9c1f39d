/**
 * Exponential moving average with debiasing (the correction of Adam's moments, Kingma & Ba 2015, section 3). It starts anew
 * where the phase changes: a 3D step has four terms of loss and a 2D step one, so an average over both would show neither.
 * `weight` in [0, 1) is the share kept from row to row. NaN stays NaN and leaves the average alone.
 */
export function smooth(values: Float64Array, phase: Float64Array | undefined, weight: number): Float64Array {
  if (weight <= 0) return values;
  const out = new Float64Array(values.length);
  let sum = 0;
  let mass = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (phase && i > 0 && phase[i] !== phase[i - 1]) sum = mass = 0;
    if (Number.isNaN(value)) {
      out[i] = Number.NaN;
      continue;
    }
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    out[i] = sum / mass;
  }
  return out;
}

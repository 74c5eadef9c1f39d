/**
 * Exponential moving average with debiasing (the correction of Adam's moments, Kingma & Ba 2015, section 3). `weight` in [0, 1)
 * is the share kept from row to row. All values count as equally far apart, so a curve of one modality continues when the run
 * returns to it.
 */
export function smooth(values: Float64Array, weight: number): Float64Array {
  if (weight <= 0) return values;
  const out = new Float64Array(values.length);
  let sum = 0;
  let mass = 0;
  for (let i = 0; i < values.length; i++) {
    sum = weight * sum + (1 - weight) * values[i]!;
    mass = weight * mass + (1 - weight);
    out[i] = sum / mass;
  }
  return out;
}

/**
 * Maps values with more than 8 bits to 8: linearly, the 0.1th percentile to 0 and the 99.9th to 255, clipped. X-rays of 10 to 16
 * bits use only part of their range, and each a different part. Percentiles, unlike extremes, prevent a bright marker or a dead
 * pixel from flattening the rest. A constant image becomes 0.
 */
export function windowTo8Bit(values: Uint16Array): Uint8Array {
  const histogram = new Uint32Array(65536);
  for (let i = 0; i < values.length; i++) histogram[values[i]!]!++;
  const low = valueAt(histogram, Math.floor(0.001 * (values.length - 1)));
  const high = valueAt(histogram, Math.ceil(0.999 * (values.length - 1)));
  const scale = high > low ? 255 / (high - low) : 0;
  // Uint8ClampedArray rounds and clips.
  const clipped = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i++) clipped[i] = (values[i]! - low) * scale;
  return new Uint8Array(clipped.buffer);
}

/** The value of this rank, 0 for the smallest. */
function valueAt(histogram: Uint32Array, rank: number): number {
  let seen = 0;
  for (let value = 0; value < histogram.length; value++) {
    seen += histogram[value]!;
    if (seen > rank) return value;
  }
  return histogram.length - 1;
}

/** RGB of 8 bits from samples of 1 to 4 channels (grey, grey + alpha, RGB, RGBA); transparent parts are blended with black. */
export function toRgb(samples: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return samples;
  const pixels = samples.length / channels;
  const rgb = new Uint8Array(3 * pixels);
  const alphaAt = channels === 2 || channels === 4 ? channels - 1 : -1;
  for (let i = 0; i < pixels; i++) {
    const at = i * channels;
    const alpha = alphaAt < 0 ? 255 : samples[at + alphaAt]!;
    for (let c = 0; c < 3; c++) {
      const value = samples[at + (channels >= 3 ? c : 0)]!;
      rgb[3 * i + c] = alpha === 255 ? value : Math.round((value * alpha) / 255);
    }
  }
  return rgb;
}

import { Random } from '../random.ts';
import type { Image2D } from '../types.ts';
import { type Ellipsoid, type Patient, wallAt } from './anatomy.ts';

/** Attenuation relative to water, per relative unit of length. */
const attenuation = { soft: 1, lung: 0.25, heart: 1.05, bone: 1.5, solid: 1, fluid: 1, vessel: 0.9 };

/**
 * Length of the ray from front to back through an ellipsoid at x, z; 0 if it misses. Exact for angle 0, approximate for small
 * angles.
 */
function chord({ center, radii, angle }: Ellipsoid, x: number, z: number): number {
  const width = Math.hypot(radii[0] * Math.cos(angle), radii[1] * Math.sin(angle));
  const depth = (radii[0] * radii[1]) / width;
  const q = ((x - center[0]) / width) ** 2 + ((z - center[2]) / radii[2]) ** 2;
  return q < 1 ? 2 * depth * Math.sqrt(1 - q) : 0;
}

/**
 * An X-ray-like frontal image of a standing patient: parallel line integrals through the shapes (closed form), a logarithmic
 * film, noise, and an exposure that spreads the image over 0–255 independent of the lesions. Rows run from neck to diaphragm,
 * columns from the patient's right to the left.
 * @param size height and width in pixels
 * @param key key of the random numbers: framing, exposure, noise
 */
export function phantomProjection(patient: Patient, size: number, ...key: (number | string)[]): Image2D {
  const random = new Random(...key, 'projection');
  const zoom = random.uniform(0.72, 0.82);
  const shift = [random.uniform(-0.04, 0.04), random.uniform(-0.04, 0.04)] as const;
  const ribPhase = random.uniform(0, 2 * Math.PI);
  const path = new Float32Array(size * size);
  for (let row = 0, i = 0; row < size; row++) {
    const z = zoom * ((2 * (row + 0.5)) / size - 1) + shift[1];
    for (let col = 0; col < size; col++, i++) {
      const x = zoom * ((2 * (col + 0.5)) / size - 1) + shift[0];
      path[i] = attenuationAlong(patient, x, z, ribPhase);
    }
  }
  for (const shape of patient.vessels) addSmall(path, size, zoom, shift, shape, attenuation.vessel - attenuation.lung);
  for (const shape of patient.nodules)
    addSmall(path, size, zoom, shift, shape, 3 * (attenuation.solid - attenuation.lung));
  const grey = expose(path, random);
  const data = new Uint8Array(3 * grey.length);
  for (let i = 0; i < grey.length; i++) data.fill(grey[i]!, 3 * i, 3 * i + 3);
  return { kind: '2D', width: size, height: size, data };
}

function attenuationAlong(patient: Patient, x: number, z: number, ribPhase: number): number {
  let sum = attenuation.soft * chord(patient.body, x, z);
  if (sum === 0) return 0;
  for (const lung of patient.lungs) {
    const length = chord(lung, x, z);
    if (length === 0) continue;
    let density = attenuation.lung;
    if (patient.network) density += 0.9 * wallAt(patient.network, x, z, 0);
    // Fluid in the standing patient collects at the bottom of the lung and climbs at its outer wall.
    if (patient.fluid > 0) {
      const outward = (x - lung.center[0]) / lung.radii[0];
      const level = lung.center[2] + lung.radii[2] * (1 - 2.2 * patient.fluid - 0.25 * outward * outward);
      if (z > level) density = attenuation.fluid;
    }
    sum += (density - attenuation.soft) * length;
  }
  sum += (attenuation.heart - attenuation.lung) * 0.8 * chord(patient.heart, x, z);
  sum += (attenuation.bone - attenuation.soft) * 1.4 * chord(patient.spine, x, z);
  sum += 0.5 * chord(patient.liver, x, z);
  // Ribs: bands that slope to both sides, only in front of the lungs.
  const side = Math.abs(x - patient.body.center[0]);
  if (side > 0.15 && side < 0.82 * patient.body.radii[0]) {
    const rib = Math.cos(20 * (z - 0.55 * side * side) + ribPhase);
    if (rib > 0.45) sum += 0.14 * Math.sqrt(rib - 0.45);
  }
  return sum;
}

/** Adds a small shape, visiting only its own pixels. */
function addSmall(
  path: Float32Array,
  size: number,
  zoom: number,
  shift: readonly [number, number],
  shape: Ellipsoid,
  density: number,
): void {
  const pixel = (place: number, axis: 0 | 1) => (((place - shift[axis]) / zoom + 1) * size) / 2 - 0.5;
  const reach = Math.max(shape.radii[0], shape.radii[1]);
  const rows = [pixel(shape.center[2] - shape.radii[2], 1), pixel(shape.center[2] + shape.radii[2], 1)] as const;
  const cols = [pixel(shape.center[0] - reach, 0), pixel(shape.center[0] + reach, 0)] as const;
  for (let row = Math.max(0, Math.ceil(rows[0])); row <= Math.min(size - 1, Math.floor(rows[1])); row++) {
    const z = zoom * ((2 * (row + 0.5)) / size - 1) + shift[1];
    for (let col = Math.max(0, Math.ceil(cols[0])); col <= Math.min(size - 1, Math.floor(cols[1])); col++) {
      const x = zoom * ((2 * (col + 0.5)) / size - 1) + shift[0];
      path[row * size + col]! += density * chord(shape, x, z);
    }
  }
}

/** Path lengths to grey values: noise, then the 1st percentile of the body to a drawn dark grey and the 99th to a drawn bright one. */
function expose(path: Float32Array, random: Random): Uint8Array {
  const noise = random.uniform(0.01, 0.015);
  const film = Float32Array.from(
    path,
    (length) => (length === 0 ? 0 : 1 - Math.exp(-0.9 * length)) + noise * random.normal(),
  );
  // Every seventh pixel suffices for the percentiles.
  const sorted = film.filter((_, i) => i % 7 === 0).sort();
  const low = sorted[Math.floor(0.01 * sorted.length)]!;
  const high = sorted[Math.floor(0.99 * sorted.length)]!;
  const gamma =
    Math.log(random.uniform(0.47, 0.53)) / Math.log(Math.max(0.05, (sorted[sorted.length >> 1]! - low) / (high - low)));
  const grey = new Uint8ClampedArray(film.length);
  for (let i = 0; i < grey.length; i++) {
    const value = Math.min(1, Math.max(0, (film[i]! - low) / (high - low)));
    grey[i] = 8 + 240 * value ** gamma;
  }
  return new Uint8Array(grey.buffer);
}

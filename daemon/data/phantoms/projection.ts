import { Random } from '../random.ts';
import type { Image2D } from '../types.ts';
import { type Ellipsoid, type Patient, wallAt } from './anatomy.ts';
import { matchDistribution, quantilesOf } from './densities.ts';
import { blurSlices, grainyNoise } from './scanner.ts';
import { tissues } from './volume.ts';

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

/** An X-ray-like image and its labels (one byte a pixel, see `projectionTissues`), both [size, size]. */
export interface PhantomProjection {
  readonly image: Image2D;
  readonly segmentation: Uint8Array;
}

/** Values of the segmentation of a projection. What lies behind or before each other has the last of these. */
export const projectionTissues = {
  background: tissues.background,
  body: tissues.body,
  rightLung: tissues.rightLung,
  leftLung: tissues.leftLung,
  heart: tissues.heart,
  lesion: tissues.lesion,
} as const;

/** Additional attenuation, relative to water times length, from which a pixel of a lung counts as lesion. */
const visibleLesion = 0.04;
/** Size of the images for which the lengths of a detector, in pixels, are given. */
const usualSize = 192;

/** A detector, drawn with each patient and independent of the condition. */
interface Detector {
  /** Half the height of the field of view, relative, and its shift. */
  readonly zoom: number;
  readonly shift: readonly [number, number];
  /** Deviation of the point spread, pixels of an image of 192. */
  readonly blur: number;
  /** Deviation of the noise of the film (0–1), and its grain in the same pixels: a low dose has much. */
  readonly noise: number;
  readonly grain: number;
  /** Grey values of the 1st and 99th percentile, and the share of this range that the median gets. */
  readonly dark: number;
  readonly bright: number;
  readonly middle: number;
}

/**
 * An X-ray-like frontal image of a standing patient, as a detector drawn with the patient gives it: parallel line integrals through
 * the shapes (closed form), a logarithmic film, blur, noise, and an exposure. Rows run from neck to diaphragm, columns from the
 * patient's right to the left.
 *
 * The film behind the lungs has the distribution of values that the same patient has without lesions: its values are mapped to
 * it, keeping their order, behind the blur. So no statistic of the intensities alone tells the conditions (see `phantomVolume`).
 * @param size height and width in pixels
 * @param key key of the random numbers: framing, exposure, noise
 */
export function phantomProjection(patient: Patient, size: number, ...key: (number | string)[]): PhantomProjection {
  const random = new Random(...key, 'projection');
  const detector: Detector = {
    zoom: random.uniform(0.7, 0.84),
    shift: [random.uniform(-0.05, 0.05), random.uniform(-0.05, 0.05)],
    blur: random.uniform(0.3, 1.1),
    noise: random.uniform(0.006, 0.03),
    grain: random.uniform(0.3, 0.9),
    dark: random.uniform(0, 40),
    bright: random.uniform(195, 255),
    middle: random.uniform(0.38, 0.62),
  };
  const { zoom, shift } = detector;
  const ribPhase = random.uniform(0, 2 * Math.PI);
  const [healthy, lesions] = [new Float32Array(size * size), new Float32Array(size * size)];
  const segmentation = new Uint8Array(size * size);
  const behindLung = new Uint8Array(size * size);
  for (let row = 0, i = 0; row < size; row++) {
    const z = zoom * ((2 * (row + 0.5)) / size - 1) + shift[1];
    for (let col = 0; col < size; col++, i++) {
      const x = zoom * ((2 * (col + 0.5)) / size - 1) + shift[0];
      healthy[i] = healthyAttenuation(patient, x, z, ribPhase);
      lesions[i] = lesionAttenuation(patient, x, z);
      const { body, lungs, heart } = patient;
      if (chord(body, x, z) > 0) segmentation[i] = projectionTissues.body;
      if (chord(lungs[0], x, z) > 0) segmentation[i] = projectionTissues.rightLung;
      if (chord(lungs[1], x, z) > 0) segmentation[i] = projectionTissues.leftLung;
      behindLung[i] = lungs.some((lung) => chord(lung, x, z) > 0) ? 1 : 0;
      if (chord(heart, x, z) > 0) segmentation[i] = projectionTissues.heart;
    }
  }
  const small = (shapes: readonly Ellipsoid[], density: number, path: Float32Array) => {
    for (const shape of shapes) addSmall({ path, size, zoom, shift }, shape, density - attenuation.lung);
  };
  small(patient.vessels, attenuation.vessel, healthy);
  small(patient.nodules, attenuation.lung + 3 * (attenuation.solid - attenuation.lung), lesions);
  // Wide vessels stand where others have lesions.
  const dense = lesions.slice();
  small(patient.wideVessels, attenuation.vessel, dense);
  const pixels = (deviation: number) => (deviation * size) / usualSize;
  const film = (path: Float32Array) => {
    const values = Float32Array.from(path, (length) => 1 - Math.exp(-0.9 * length));
    blurSlices(values, size, size, pixels(detector.blur));
    return values;
  };
  const shown = film(dense.map((value, i) => value + healthy[i]!));
  const usual = film(healthy).filter((_, i) => behindLung[i] === 1);
  if (usual.length > 0) matchDistribution(shown, behindLung, quantilesOf(usual.sort()));
  const noise = grainyNoise(random, 1, size, size, pixels(detector.grain));
  for (let i = 0; i < shown.length; i++) {
    shown[i]! += detector.noise * noise[i]!;
    if (behindLung[i] === 1 && segmentation[i] !== projectionTissues.heart && lesions[i]! > visibleLesion)
      segmentation[i] = projectionTissues.lesion;
  }
  const grey = expose(shown, detector);
  const data = new Uint8Array(3 * grey.length);
  for (let i = 0; i < grey.length; i++) data.fill(grey[i]!, 3 * i, 3 * i + 3);
  return { image: { kind: '2D', width: size, height: size, data }, segmentation };
}

/** Attenuation of a patient without lesions and vessels. */
function healthyAttenuation(patient: Patient, x: number, z: number, ribPhase: number): number {
  let sum = attenuation.soft * chord(patient.body, x, z);
  if (sum === 0) return 0;
  for (const lung of patient.lungs) sum += (attenuation.lung - attenuation.soft) * chord(lung, x, z);
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

/** Attenuation that a network or fluid adds to the lungs. */
function lesionAttenuation({ lungs, network, fluid }: Patient, x: number, z: number): number {
  let sum = 0;
  for (const lung of lungs) {
    const length = chord(lung, x, z);
    if (length === 0) continue;
    if (network) sum += 0.9 * wallAt(network, x, z, 0) * length;
    // Fluid in the standing patient collects at the bottom of the lung and climbs at its outer wall.
    if (fluid > 0) {
      const outward = (x - lung.center[0]) / lung.radii[0];
      const level = lung.center[2] + lung.radii[2] * (1 - 2.2 * fluid - 0.25 * outward * outward);
      if (z > level) sum += (attenuation.fluid - attenuation.lung) * length;
    }
  }
  return sum;
}

/** Attenuation along the rays to the pixels of a square image, and which part of the patient they show. */
interface View {
  readonly path: Float32Array;
  readonly size: number;
  readonly zoom: number;
  readonly shift: readonly [number, number];
}

/** Adds a small shape, visiting only its own pixels. */
function addSmall({ path, size, zoom, shift }: View, shape: Ellipsoid, density: number): void {
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

/** Values of a film to grey values: percentiles and median to those of the detector. */
function expose(film: Float32Array, { dark, bright, middle }: Detector): Uint8Array {
  // Every seventh pixel suffices for the percentiles.
  const sorted = film.filter((_, i) => i % 7 === 0).sort();
  const low = sorted[Math.floor(0.01 * sorted.length)]!;
  const high = sorted[Math.floor(0.99 * sorted.length)]!;
  const gamma = Math.log(middle) / Math.log(Math.max(0.05, (sorted[sorted.length >> 1]! - low) / (high - low)));
  const grey = new Uint8ClampedArray(film.length);
  for (let i = 0; i < grey.length; i++) {
    const value = Math.min(1, Math.max(0, (film[i]! - low) / (high - low)));
    grey[i] = dark + (bright - dark) * value ** gamma;
  }
  return new Uint8Array(grey.buffer);
}

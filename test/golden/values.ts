import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { presets } from '../../daemon/model/config.ts';
import type { ParameterSpec } from '../../daemon/model/parameters.ts';

/** The golden folder: test/golden/data, or another of the same form. */
export const goldenFolder = process.env.UNIMISS_GOLDEN ?? join(import.meta.dirname, 'data');

export function readGolden<T>(file: string): T {
  return JSON.parse(readFileSync(join(goldenFolder, file), 'utf8')) as T;
}

/** Files of the golden folder whose names match, of a model that we know (`arch`) where they name one. */
export function goldenFiles(pattern: RegExp): string[] {
  const known = (file: string) => {
    const { arch } = readGolden<{ arch?: string }>(file);
    return arch === undefined || arch in presets;
  };
  return readdirSync(goldenFolder)
    .filter((file) => pattern.test(file) && known(file))
    .sort();
}

function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function fmix32(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Numbers in [−1, 1) that a name and an index decide (test/golden/data/README.md). */
export function computed(name: string): (index: number) => number {
  const offset = fnv1a32(name);
  return (index) => fmix32((index + offset) >>> 0) / 2 ** 31 - 1;
}

export function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

export function computedArray(name: string, length: number, map: (u: number) => number): Float32Array {
  const u = computed(name);
  return Float32Array.from({ length }, (_, i) => map(u(i)));
}

/** The golden weights of a parameter, in the reference's layout. `prefix` names another network ("teacher."). */
export function goldenWeights(spec: ParameterSpec, prefix = ''): Float32Array {
  const { shape, kind } = spec;
  const fanIn = size(shape.slice(1));
  const maps: Record<ParameterSpec['kind'], (u: number) => number> = {
    magnitude: () => 1,
    token: (u) => 0.02 * u,
    gain: (u) => 1 + 0.1 * u,
    shift: (u) => 0.05 * u,
    bias: (u) => 0.05 * u,
    convBias: (u) => 0.05 * u,
    linear: (u) => u * Math.sqrt(3 / fanIn),
    conv: (u) => u * Math.sqrt(3 / fanIn),
    transposedConv: (u) => u * Math.sqrt(3 / fanIn),
    direction: (u) => u * Math.sqrt(3 / fanIn),
  };
  return computedArray(prefix + spec.name, size(shape), maps[kind]);
}

/** A golden image batch, given its shape with channels first, in our layout (channels last). */
export function goldenImages(name: string, shape: readonly number[]): Float32Array {
  const picture = shape.length === 4;
  return channelsLast(computedArray(name, size(shape), picture ? (u) => 0.5 * u + 0.5 : (u) => u), shape);
}

/** [B, C, …] → [B, …, C] */
export function channelsLast(data: Float32Array, shape: readonly number[]): Float32Array {
  const [batch, channels] = shape as [number, number];
  const cells = size(shape.slice(2));
  const result = new Float32Array(data.length);
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < cells; i++) result[(b * cells + i) * channels + c] = data[(b * channels + c) * cells + i]!;
  return result;
}

/** [B, …, C] → [B, C, …] */
export function channelsFirst(data: Float32Array, shape: readonly number[]): Float32Array {
  const [batch, channels] = [shape[0]!, shape[shape.length - 1]!];
  const cells = size(shape.slice(1, -1));
  const result = new Float32Array(data.length);
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < cells; i++) result[(b * channels + c) * cells + i] = data[(b * cells + i) * channels + c]!;
  return result;
}

export interface Summary {
  norm: number;
  mean: number;
  first: number[];
}

export function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}

/** Largest deviation of the first values from the summary's, in units of its RMS; and of the norm, relative. */
export function deviation(values: Float32Array, summary: Summary): { values: number; norm: number } {
  const rms = summary.norm / Math.sqrt(values.length);
  const first = summary.first.map((expected, i) => Math.abs(values[i]! - expected));
  return { values: Math.max(...first) / rms, norm: Math.abs(norm(values) / summary.norm - 1) };
}

import type { Affine, AffineRow } from '../niftiGeometry.ts';
import type { Vector } from './dicomHeader.ts';

/** One slice: a file, or a frame of one. */
export interface Slice {
  readonly position: Vector;
  /** How messages call it: the name of its file, or `frame 3`. */
  readonly name: string;
  /** Order among slices at one position. */
  readonly number: number;
}

/** Slices in one row, and where they lie. */
export interface Stack<S extends Slice> {
  /** Along k, which goes with the normal (row × column). */
  readonly slices: readonly S[];
  /** From (i, j, k) to RAS mm. */
  readonly affine: Affine;
  /** Clauses whose subject is the volume. */
  readonly notices: readonly string[];
}

/** A reason why slices make no volume: a clause whose subject is the volume. */
export class NoStack {
  constructor(
    readonly what: string,
    readonly remedy: string,
    /** Names of files in the text. */
    readonly names: readonly string[] = [],
  ) {}
}

/** Share of the usual step by which steps may differ in silence (tags are rounded), and with a notice. */
const silent = 0.02;
const noticed = 0.2;
/** How far, in mm, a slice may lie beside the line through the first and the last. */
const beside = 1;

/**
 * Orders slices by their positions along the normal of the image plane, and finds what is missing: distances count, not what tags or libraries
 * say about them.
 * @param volume of several images at each position (times, echoes) the number of the wanted one; undefined: they are refused
 */
export function stackSlices<S extends Slice>(
  all: readonly S[],
  geometry: {
    readonly orientation: readonly [Vector, Vector];
    readonly pixelSpacing: readonly [number, number];
    readonly sliceSpacingTag?: number | undefined;
  },
  volume?: number,
): Stack<S> | NoStack {
  const [row, column] = geometry.orientation;
  const normal = cross(row, column);
  if (Math.abs(Math.hypot(...normal) - 1) > 0.01 || Math.abs(dot(row, column)) > 0.01)
    return new NoStack('has no usable orientation: its rows and columns are not at right angles', 'Export it again.');
  const along = (slice: S) => dot(slice.position, normal);
  const sorted = [...all].sort((a, b) => along(a) - along(b) || a.number - b.number);
  const piles: S[][] = [];
  for (const slice of sorted) {
    const pile = piles.at(-1);
    if (pile?.[0] && along(slice) - along(pile[0]) < 0.01) pile.push(slice);
    else piles.push([slice]);
  }
  const chosen = choose(piles, volume);
  if (chosen instanceof NoStack) return chosen;
  const [first, last] = [chosen[0], chosen.at(-1)];
  if (!first || !last || chosen.length < 2)
    return new NoStack('is a single slice', 'Give a series of slices, or use it as a 2D image.');

  const steps = chosen.slice(1).map((slice, k) => along(slice) - along(chosen[k] ?? first));
  const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  const at = steps.findIndex((step) => Math.abs(step - usual) > noticed * usual);
  if (at >= 0) return gap(chosen, at, steps[at] ?? 0, usual);
  const notices: string[] = [];
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  if (most - least > silent * usual)
    notices.push(`has slices that are ${millimeters(least)} to ${millimeters(most)} mm apart; their mean is used`);
  const count = chosen.length - 1;
  const step: Vector = [0, 1, 2].map(
    (x) => ((last.position[x] ?? 0) - (first.position[x] ?? 0)) / count,
  ) as unknown as Vector;
  const mean = dot(step, normal);
  const tag = geometry.sliceSpacingTag;
  if (tag !== undefined && Math.abs(Math.abs(tag) - mean) > 0.1 * mean)
    notices.push(
      `says ${millimeters(tag)} mm between slices, but their positions are ${millimeters(mean)} mm apart, which counts`,
    );
  for (const [k, slice] of chosen.entries()) {
    const expected = step.map((mm, x) => (first.position[x] ?? 0) + k * mm) as unknown as Vector;
    const off = subtract(slice.position, expected);
    const sideways = subtract(off, scale(normal, dot(off, normal)));
    if (Math.hypot(...sideways) > beside)
      return new NoStack(
        `has a slice that is shifted by ${millimeters(Math.hypot(...sideways))} mm in its plane (slice ${k + 1}, ${slice.name})`,
        'Convert it with a program that resamples such series.',
        [slice.name],
      );
  }
  const lean = Math.hypot(...subtract(step, scale(normal, mean)));
  if (lean > 0.02 * mean)
    notices.push(`was scanned with a tilted gantry (${degrees(lean, mean)}°), which its grid keeps`);
  return { slices: chosen, affine: affineOf(row, column, step, first.position, geometry.pixelSpacing), notices };
}

/** Of images at each position the wanted one. */
function choose<S extends Slice>(piles: readonly S[][], volume: number | undefined): S[] | NoStack {
  const count = piles[0]?.length ?? 0;
  const other = piles.findIndex((pile) => pile.length !== count);
  if (other >= 0) {
    const longer = piles.findIndex((pile) => pile.length === Math.max(...piles.map(({ length }) => length)));
    const pile = piles[longer] ?? [];
    const names = pile.slice(0, 2).map(({ name }) => name);
    return new NoStack(
      `has ${pile.length} images at one position (slice ${longer + 1}: ${names.join(', ')}), and fewer at others`,
      'Remove what does not belong to it, or put each part into a folder of its own.',
      names,
    );
  }
  if (count === 1 && (volume === undefined || volume === 0)) return piles.flat();
  if (volume === undefined)
    return new NoStack(
      `is 4-D: it has ${count} images at each of ${piles.length} positions (times, echoes or the like)`,
      'Put the files of one of them into a folder of their own. With labelled images, and to predict, one can be chosen: `data.volume`, --volume.',
    );
  if (!Number.isInteger(volume) || volume < 0 || volume >= count)
    return new NoStack(
      `holds ${count} volumes, and not one with the number ${volume}`,
      `Choose one from 0 to ${count - 1}.`,
    );
  return piles.flatMap((pile) => pile[volume] ?? []);
}

function gap(slices: readonly Slice[], at: number, step: number, usual: number): NoStack {
  const [before, after] = [slices[at]?.name ?? '', slices[at + 1]?.name ?? ''];
  const where = `between slice ${at + 1} (${before}) and slice ${at + 2} (${after})`;
  const lacking = Math.round(step / usual) - 1;
  const whole = lacking >= 1 && Math.abs(step / usual - lacking - 1) < noticed;
  const what = whole
    ? `misses ${lacking === 1 ? 'a slice' : `${lacking} slices`} ${where}: they are ${millimeters(step)} mm apart, others ${millimeters(usual)} mm`
    : `has uneven slices: ${where} lie ${millimeters(step)} mm, between others ${millimeters(usual)} mm`;
  return new NoStack(what, whole ? 'Export the series again, with all slices.' : 'Resample it to even slices before.', [
    before,
    after,
  ]);
}

/** LPS to RAS: x and y change their signs. */
function affineOf(
  row: Vector,
  column: Vector,
  step: Vector,
  origin: Vector,
  [dRows, dColumns]: readonly [number, number],
): Affine {
  const line = (x: 0 | 1 | 2): AffineRow => {
    const sign = x < 2 ? -1 : 1;
    return [sign * row[x] * dColumns + 0, sign * column[x] * dRows + 0, sign * step[x] + 0, sign * origin[x] + 0];
  };
  return [line(0), line(1), line(2)];
}

const millimeters = (mm: number) => +mm.toFixed(2);
const degrees = (lean: number, mean: number) => +((Math.atan2(lean, mean) * 180) / Math.PI).toFixed(1);
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const subtract = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const scale = (a: Vector, by: number): Vector => [a[0] * by, a[1] * by, a[2] * by];

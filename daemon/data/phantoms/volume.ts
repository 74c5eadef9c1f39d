import { Random } from '../random.ts';
import type { Volume } from '../types.ts';
import { type Ellipsoid, type Patient, wallAt } from './anatomy.ts';

/** Values of the segmentation of a phantom. */
export const tissues = {
  background: 0,
  body: 1,
  rightLung: 2,
  leftLung: 3,
  heart: 4,
  spine: 5,
  aorta: 6,
  liver: 7,
  lesion: 8,
} as const;

/** A CT-like volume and its segmentation (one byte a voxel, see `tissues`), both [slices, x, y]. */
export interface PhantomVolume {
  readonly volume: Volume;
  readonly segmentation: Uint8Array;
}

/** HU of a phantom's tissues. */
const hu = {
  air: -1000,
  fat: -100,
  muscle: 50,
  heart: 45,
  bone: 420,
  marrow: 180,
  aorta: 130,
  liver: 65,
  solid: 35,
  fluid: 12,
  wall: -50,
  vessel: -150,
};
/** Share of the chest's height that the slices show. */
const coverage = 0.7;
/** Half the width of the field of view, relative: it excludes most air around the body, like sub-volumes for training. */
const field = 0.8;

/**
 * A CT-like volume of part of a patient's chest in HU: [slices, plane, plane], with noise. The mean over the lungs, lesions
 * included, is drawn from the same distribution for every condition (the air in them is shifted to reach it), so that the mean
 * intensity reveals little about the class.
 * @param key key of the random numbers: the visible part of the chest, noise
 */
export function phantomVolume(
  patient: Patient,
  slices: number,
  plane: number,
  ...key: (number | string)[]
): PhantomVolume {
  const random = new Random(...key, 'volume');
  const canvas = new Canvas(slices, plane, random.uniform(-0.45, 0.55 - coverage));
  const { body, fat } = patient;
  canvas.paint(body, hu.fat, tissues.body);
  const inner = { ...body, radii: [body.radii[0] - fat, body.radii[1] - fat, body.radii[2]] as const };
  canvas.paint(inner, hu.muscle, tissues.body);
  canvas.ribs(inner);
  canvas.paint(patient.lungs[0], -800, tissues.rightLung);
  canvas.paint(patient.lungs[1], -800, tissues.leftLung);
  for (const vessel of patient.vessels) canvas.paintLung(vessel, hu.vessel);
  for (const nodule of patient.nodules) canvas.paintLung(nodule, hu.solid, tissues.lesion);
  if (patient.network) canvas.network(patient.network);
  if (patient.fluid > 0) for (const lung of patient.lungs) canvas.fluid(lung, patient.fluid);
  canvas.paint(patient.heart, hu.heart, tissues.heart);
  canvas.paint(patient.liver, hu.liver, tissues.liver);
  canvas.paint(patient.spine, hu.bone, tissues.spine);
  const [sx, sy] = patient.spine.radii;
  canvas.paint({ ...patient.spine, radii: [sx * 0.75, sy * 0.75, 4] }, hu.marrow, tissues.spine);
  canvas.paint(patient.aorta, hu.aorta, tissues.aorta);
  canvas.matchLungMean(random.uniform(-760, -680));
  return { volume: canvas.finish(random, random.uniform(12, 25)), segmentation: canvas.labels };
}

/** The HU and labels of an unfinished volume. Later shapes cover earlier ones. */
class Canvas {
  readonly labels: Uint8Array;
  private readonly values: Float32Array;
  /** Everything painted as lung, including lesions in it. */
  private readonly lung: Uint8Array;

  constructor(
    private readonly slices: number,
    private readonly plane: number,
    private readonly top: number,
  ) {
    this.values = new Float32Array(slices * plane * plane).fill(hu.air);
    this.labels = new Uint8Array(this.values.length);
    this.lung = new Uint8Array(this.values.length);
  }

  private z(slice: number): number {
    return this.top + (coverage * (slice + 0.5)) / this.slices;
  }

  /** x of a column or y of a row. */
  private xy(index: number): number {
    return field * ((2 * (index + 0.5)) / this.plane - 1);
  }

  /** Calls `use` for every voxel whose centre is in the ellipsoid, with its index, place and squared relative distance to the centre. */
  private inside(
    shape: Ellipsoid,
    use: (index: number, x: number, y: number, z: number, distance2: number) => void,
  ): void {
    const { center, radii, angle } = shape;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const reach = Math.max(radii[0], radii[1]);
    const index = (place: number) => ((place / field + 1) * this.plane) / 2 - 0.5;
    const [firstRow, lastRow] = [
      Math.max(0, Math.ceil(index(center[1] - reach))),
      Math.min(this.plane - 1, Math.floor(index(center[1] + reach))),
    ];
    const [firstCol, lastCol] = [
      Math.max(0, Math.ceil(index(center[0] - reach))),
      Math.min(this.plane - 1, Math.floor(index(center[0] + reach))),
    ];
    for (let s = 0; s < this.slices; s++) {
      const dz = (this.z(s) - center[2]) / radii[2];
      if (dz * dz >= 1) continue;
      for (let row = firstRow; row <= lastRow; row++) {
        const dy = this.xy(row) - center[1];
        for (let col = firstCol; col <= lastCol; col++) {
          const dx = this.xy(col) - center[0];
          const u = (cos * dx + sin * dy) / radii[0];
          const v = (cos * dy - sin * dx) / radii[1];
          const distance2 = u * u + v * v + dz * dz;
          if (distance2 < 1)
            use((s * this.plane + row) * this.plane + col, center[0] + dx, center[1] + dy, this.z(s), distance2);
        }
      }
    }
  }

  paint(shape: Ellipsoid, value: number, label: number): void {
    const isLung = label === tissues.rightLung || label === tissues.leftLung ? 1 : 0;
    this.inside(shape, (i) => {
      this.values[i] = value;
      this.labels[i] = label;
      this.lung[i] = isLung;
    });
  }

  /** Paints only inside the lung. */
  paintLung(shape: Ellipsoid, value: number, label?: number): void {
    this.inside(shape, (i) => {
      if (!this.lung[i]) return;
      this.values[i] = value;
      if (label !== undefined) this.labels[i] = label;
    });
  }

  /** Slanting ribs in the chest wall: a shell whose bone alternates with height and side. */
  ribs(inner: Ellipsoid): void {
    this.inside(inner, (i, x, y, z, distance2) => {
      if (distance2 > 0.76 && distance2 < 0.9 && Math.sin(22 * z + 5 * y + (x > inner.center[0] ? 0 : 1)) > 0.35)
        this.values[i] = hu.bone;
    });
  }

  network(network: NonNullable<Patient['network']>): void {
    for (let s = 0, i = 0; s < this.slices; s++) {
      for (let row = 0; row < this.plane; row++) {
        for (let col = 0; col < this.plane; col++, i++) {
          if (!this.lung[i]) continue;
          const wall = wallAt(network, this.xy(col), this.xy(row), this.z(s));
          if (wall === 0) continue;
          this.values[i] = this.values[i]! + wall * (hu.wall - this.values[i]!);
          if (wall > 0.5) this.labels[i] = tissues.lesion;
        }
      }
    }
  }

  /** Fluid in the lying patient: in the back of the lung, with a flat level. */
  fluid(lung: Ellipsoid, share: number): void {
    const level = lung.center[1] + lung.radii[1] * (1 - 2 * share);
    this.inside(lung, (i, _x, y) => {
      if (y < level || !this.lung[i]) return;
      this.values[i] = hu.fluid;
      this.labels[i] = tissues.lesion;
    });
  }

  /** Shifts the air-filled lung so that the whole lung, including lesions, has this mean. */
  matchLungMean(target: number): void {
    let [sum, count, airy] = [0, 0, 0];
    for (let i = 0; i < this.values.length; i++) {
      if (!this.lung[i]) continue;
      sum += this.values[i]!;
      count++;
      if (this.values[i]! < -500) airy++;
    }
    if (airy === 0) return;
    const shift = (target * count - sum) / airy;
    for (let i = 0; i < this.values.length; i++) {
      if (this.lung[i] && this.values[i]! < -500) this.values[i] = Math.max(this.values[i]! + shift, -990);
    }
  }

  finish(random: Random, noise: number): Volume {
    const data = new Int16Array(this.values.length);
    for (let i = 0; i < data.length; i++) {
      data[i] = Math.round(Math.min(3071, Math.max(-1024, this.values[i]! + noise * random.normal())));
    }
    return { kind: '3D', shape: [this.slices, this.plane, this.plane], data, spacing: [3, 1, 1] };
  }
}

import { Random } from '../random.ts';
import type { Volume } from '../types.ts';
import { type Ellipsoid, type Network, type Patient, wallAt } from './anatomy.ts';
import { type LungDensities, lungQuantiles, matchDistribution } from './densities.ts';
import { blurSlices, calibration, drawScanner, grainyNoise, type Scanner } from './scanner.ts';

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
  wall: 0,
  vessel: 20,
  lung: -800,
};
/** In-plane size at which a voxel of the usual scanner has 1 mm; for other sizes all lengths in mm scale with it. */
const usualPlane = 176;
/** Deviation of the texture of all tissues, HU, and of the blur that makes its grain, mm. */
const texture = { deviation: 18, grain: 0.8 };

/**
 * A CT-like volume of part of a patient's chest: [slices, plane, plane], as a scanner drawn with the patient gives it.
 *
 * The densities of a lung, with all that lies in it, have one distribution whose parameters are drawn, whatever the condition: they
 * are mapped to it, keeping their order, behind the scanner's blur. Everything else (organs, field of view, noise, calibration)
 * does not depend on the condition. So no statistic of the intensities alone, such as a histogram, can tell the conditions; their
 * arrangement does.
 * @param key key of the random numbers: the scanner, the visible part of the chest, densities, noise
 */
export function phantomVolume(
  patient: Patient,
  slices: number,
  plane: number,
  ...key: (number | string)[]
): PhantomVolume {
  const random = new Random(...key, 'volume');
  const scanner = drawScanner(random);
  const canvas = new Canvas(slices, plane, random.uniform(-0.45, 0.55 - scanner.coverage), scanner);
  const { body, fat } = patient;
  canvas.paint(body, hu.fat, tissues.body);
  const inner = { ...body, radii: [body.radii[0] - fat, body.radii[1] - fat, body.radii[2]] as const };
  canvas.paint(inner, hu.muscle, tissues.body);
  canvas.ribs(inner);
  canvas.paint(patient.lungs[0], hu.lung, tissues.rightLung);
  canvas.paint(patient.lungs[1], hu.lung, tissues.leftLung);
  canvas.paint(patient.heart, hu.heart, tissues.heart);
  canvas.paint(patient.liver, hu.liver, tissues.liver);
  canvas.paint(patient.spine, hu.bone, tissues.spine);
  const [sx, sy] = patient.spine.radii;
  canvas.paint({ ...patient.spine, radii: [sx * 0.75, sy * 0.75, 4] }, hu.marrow, tissues.spine);
  canvas.paint(patient.aorta, hu.aorta, tissues.aorta);
  for (const vessel of [...patient.vessels, ...patient.wideVessels]) canvas.paintLung(vessel, hu.vessel);
  for (const nodule of patient.nodules) canvas.paintLung(nodule, hu.solid, tissues.lesion);
  if (patient.network) canvas.network(patient.network, patient);
  if (patient.condition === 'effusion') canvas.fluid(patient);
  const lung = {
    airy: random.uniform(-870, -770),
    solid: random.uniform(0, 60),
    // Vessels of every patient and the lungs' edges are dense too.
    dense: patient.dense + random.uniform(0.04, 0.08),
  };
  canvas.blur(random);
  canvas.matchLung(lung);
  return { volume: canvas.finish(random), segmentation: canvas.labels };
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
    private readonly scanner: Scanner,
  ) {
    this.values = new Float32Array(slices * plane * plane).fill(hu.air);
    this.labels = new Uint8Array(this.values.length);
    this.lung = new Uint8Array(this.values.length);
  }

  private z(slice: number): number {
    return this.top + (this.scanner.coverage * (slice + 0.5)) / this.slices;
  }

  /** x of a column or y of a row. */
  private xy(index: number): number {
    return this.scanner.field * ((2 * (index + 0.5)) / this.plane - 1);
  }

  /** Calls `use` for every voxel whose centre is in the ellipsoid, with its index, place and squared relative distance to the centre. */
  private inside(
    shape: Ellipsoid,
    use: (index: number, x: number, y: number, z: number, distance2: number) => void,
  ): void {
    const { center, radii, angle } = shape;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const reach = Math.max(radii[0], radii[1]);
    const index = (place: number) => ((place / this.scanner.field + 1) * this.plane) / 2 - 0.5;
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

  /** Walls in the part of the lungs that lies farthest in the network's direction, as large as makes the dense share. */
  network(network: Network, { lungs, dense }: Patient): void {
    const wallOf = new Float32Array(this.values.length);
    const toward = [Math.cos(network.from), Math.sin(network.from)] as const;
    this.mostly(
      lungs,
      dense,
      ({ center, radii }, x, y, i, z) => {
        wallOf[i] = wallAt(network, x, y, z);
        if (wallOf[i]! < 0.3) return Number.NEGATIVE_INFINITY;
        const [u, v] = [(x - center[0]) / radii[0], (y - center[1]) / radii[1]];
        return u * toward[0] + v * toward[1] + 0.8 * (u * u + v * v);
      },
      (i) => {
        this.values[i] = hu.lung + Math.min(1, 2 * wallOf[i]!) * (hu.wall - hu.lung);
      },
    );
  }

  /** Fluid in the lying patient: in the back of the lungs, with a flat level, as high as makes the dense share. */
  fluid({ lungs, dense }: Patient): void {
    this.mostly(
      lungs,
      dense,
      ({ center, radii }, _, y) => (y - center[1]) / radii[1],
      (i) => {
        this.values[i] = hu.fluid;
      },
    );
  }

  /**
   * Makes a lesion of the lungs' voxels with the highest scores.
   * @param share of the visible lung
   */
  private mostly(
    lungs: Patient['lungs'],
    share: number,
    score: (lung: Ellipsoid, x: number, y: number, index: number, z: number) => number,
    paint: (index: number) => void,
  ): void {
    const scores = new Float32Array(this.values.length).fill(Number.NEGATIVE_INFINITY);
    for (const lung of lungs)
      this.inside(lung, (i, x, y, z) => {
        if (this.lung[i]) scores[i] = score(lung, x, y, i, z);
      });
    const sorted = scores.filter((_, i) => this.lung[i] === 1).sort();
    const limit = sorted[Math.floor((1 - share) * sorted.length)];
    if (limit === undefined) return;
    for (let i = 0; i < scores.length; i++) {
      if (this.lung[i] !== 1 || scores[i] === Number.NEGATIVE_INFINITY || scores[i]! < limit) continue;
      paint(i);
      this.labels[i] = tissues.lesion;
    }
  }

  /** Millimetres in voxels of the plane. */
  private voxels(mm: number): number {
    return (mm / this.scanner.spacing[1]) * (this.plane / usualPlane);
  }

  /** The tissues' texture, and the scanner's point spread. */
  blur(random: Random): void {
    const { slices, plane, values, scanner } = this;
    const noise = grainyNoise(random, slices, plane, plane, this.voxels(texture.grain));
    blurSlices(values, plane, plane, this.voxels(scanner.blur));
    for (let i = 0; i < values.length; i++) values[i]! += texture.deviation * noise[i]!;
  }

  /** Gives the lungs, including lesions, this distribution of densities. */
  matchLung(lung: LungDensities): void {
    matchDistribution(this.values, this.lung, lungQuantiles(lung));
  }

  finish(random: Random): Volume {
    const { slices, plane, scanner } = this;
    const noise = grainyNoise(random, slices, plane, plane, this.voxels(scanner.grain));
    const data = new Int16Array(this.values.length);
    const measured = calibration(scanner);
    for (let i = 0; i < data.length; i++) {
      const value = measured(this.values[i]! + scanner.noise * noise[i]!);
      data[i] = Math.round(Math.min(3071, Math.max(-1024, value)));
    }
    return { kind: '3D', shape: [slices, plane, plane], data, spacing: scanner.spacing };
  }
}

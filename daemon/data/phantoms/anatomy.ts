import { Random } from '../random.ts';

/**
 * Synthetic patients, the source of both the CT-like volumes and the X-ray-like projections. Coordinates are relative:
 * x from the patient's right (−1) to the left (1), y from front (−1) to back (1), z from the neck (−1) to the diaphragm (1).
 */
export interface Patient {
  readonly condition: Condition;
  readonly body: Ellipsoid;
  /** Thickness of the fat under the skin, relative. */
  readonly fat: number;
  readonly lungs: readonly [right: Ellipsoid, left: Ellipsoid];
  readonly heart: Ellipsoid;
  readonly spine: Ellipsoid;
  readonly aorta: Ellipsoid;
  readonly liver: Ellipsoid;
  /** Thin vessels in the lungs, in every patient. */
  readonly vessels: readonly Ellipsoid[];
  /** Wide vessels: class `clear`. */
  readonly wideVessels: readonly Ellipsoid[];
  /**
   * Share of the lungs that is dense (wide vessels or lesions), from the same distribution in every condition: the conditions
   * differ in the shape of what is dense, not in its amount.
   */
  readonly dense: number;
  /** Round solid lesions: class `nodules`. */
  readonly nodules: readonly Ellipsoid[];
  /** A network of thickened walls in one part of the lungs: class `fibrosis`. */
  readonly network?: Network;
  /** Share of the lung's height filled with fluid in the standing patient, from the lowest point up: class `effusion`. */
  readonly fluid: number;
}

/** The labels of the phantoms. */
export const conditions = ['clear', 'nodules', 'fibrosis', 'effusion'] as const;
export type Condition = (typeof conditions)[number];

/** An axis-aligned ellipsoid, turned by `angle` (radians) in the plane of the slices. */
export interface Ellipsoid {
  readonly center: readonly [x: number, y: number, z: number];
  readonly radii: readonly [x: number, y: number, z: number];
  readonly angle: number;
}

/** Waves whose crests are the walls: wave vectors (radians for one relative unit) and phases. */
export interface Network {
  readonly waves: readonly { readonly vector: readonly [number, number, number]; readonly phase: number }[];
  /** Share of the wave that is wall, 0–1. */
  readonly wall: number;
  /** The part of the lungs from which it spreads: a direction in the plane of the slices, radians. */
  readonly from: number;
}

/** Draws the patient for a key. Only lesions depend on the condition. */
export function drawPatient(condition: Condition, ...key: (number | string)[]): Patient {
  const random = new Random(...key, 'patient');
  const near = (value: number, spread: number) => value + random.uniform(-spread, spread);
  const ellipsoid = (center: Ellipsoid['center'], radii: Ellipsoid['radii'], angle = 0): Ellipsoid => ({
    center,
    radii,
    angle,
  });
  const body = ellipsoid([near(0, 0.04), near(0, 0.04), 0], [near(0.9, 0.05), near(0.74, 0.06), 4], near(0, 0.06));
  const [cx, cy] = body.center;
  const [width, height] = body.radii;
  const lung = (side: -1 | 1) =>
    ellipsoid(
      [cx + side * near(0.45, 0.03) * width, cy + near(-0.02, 0.04) * height, near(0.05, 0.08)],
      [near(0.33, 0.03) * width, near(0.66, 0.06) * height, near(0.95, 0.06)],
      side * near(-0.12, 0.08),
    );
  const lungs = [lung(-1), lung(1)] as const;
  const heart = ellipsoid(
    [cx + near(0.14, 0.04) * width, cy + near(-0.22, 0.06) * height, near(0.45, 0.1)],
    [near(0.3, 0.04) * width, near(0.32, 0.04) * height, near(0.5, 0.06)],
    near(0.5, 0.2),
  );
  const spine = ellipsoid([cx, cy + near(0.6, 0.03) * height, 0], [near(0.12, 0.015), near(0.13, 0.015), 4]);
  const aorta = ellipsoid(
    [cx + 0.13 * width, cy + near(0.36, 0.03) * height, 0],
    [near(0.055, 0.01), near(0.055, 0.01), 4],
  );
  const liver = ellipsoid([cx - 0.35 * width, cy, near(1.25, 0.08)], [0.6 * width, 0.75 * height, near(0.5, 0.05)]);
  const inLung = (reach: number): Ellipsoid['center'] => {
    const { center, radii } = lungs[random.int(2)]!;
    // A direction and a distance that fill the ellipsoid evenly.
    const direction = [random.normal(), random.normal(), random.normal()];
    const length = Math.hypot(...direction) || 1;
    const distance = reach * Math.cbrt(random.uniform());
    return [0, 1, 2].map(
      (a) => center[a]! + (radii[a]! * distance * direction[a]!) / length,
    ) as unknown as Ellipsoid['center'];
  };
  const vessels = Array.from({ length: 70 }, () => {
    const thin = random.uniform(0.008, 0.02);
    return ellipsoid(inLung(0.9), [random.uniform(0.03, 0.12), thin, thin * 3], random.uniform(0, Math.PI));
  });
  const dense = random.uniform(0.07, 0.13);
  /** Shapes whose volumes make up the dense share of the lungs. */
  const filling = (draw: () => Ellipsoid): Ellipsoid[] => {
    let left = dense * lungs.reduce((sum, { radii }) => sum + product(radii), 0);
    const shapes: Ellipsoid[] = [];
    for (; left > 0; left -= product(shapes.at(-1)?.radii ?? [1, 1, 1])) shapes.push(draw());
    return shapes;
  };
  const wide = () => {
    const width = random.uniform(0.016, 0.034);
    return ellipsoid(inLung(0.85), [random.uniform(0.08, 0.2), width, width * 2], random.uniform(0, Math.PI));
  };
  const nodule = () => {
    const radius = random.uniform(0.045, 0.085);
    return ellipsoid(inLung(0.85), [radius, radius * near(1, 0.15), radius * near(1.3, 0.2)]);
  };
  const wideVessels = condition === 'clear' ? filling(wide) : [];
  const nodules = condition === 'nodules' ? filling(nodule) : [];
  return {
    condition,
    body,
    fat: random.uniform(0.04, 0.1),
    lungs,
    heart,
    spine,
    aorta,
    liver,
    vessels,
    wideVessels,
    dense,
    nodules,
    ...(condition === 'fibrosis' ? { network: drawNetwork(random) } : {}),
    fluid: condition === 'effusion' ? random.uniform(0.22, 0.34) : 0,
  };
}

const product = ([a, b, c]: Ellipsoid['radii']) => a * b * c;

function drawNetwork(random: Random): Network {
  const turn = random.uniform(0, Math.PI);
  const waves = [0, 1, 2].map((i) => {
    const angle = turn + (i * Math.PI) / 3;
    const size = random.uniform(30, 42);
    return {
      vector: [size * Math.cos(angle), size * Math.sin(angle), random.uniform(-8, 8)] as const,
      phase: random.uniform(0, 2 * Math.PI),
    };
  });
  return { waves, wall: random.uniform(0.22, 0.3), from: random.uniform(0, 2 * Math.PI) };
}

/** How much this place belongs to a wall, 0 (not) to 1. The waves are bent, so that no two meshes look alike. */
export function wallAt({ waves, wall }: Network, x: number, y: number, z: number): number {
  const bentX = x + 0.05 * Math.sin(7 * y + 3 * z);
  const bentY = y + 0.05 * Math.sin(8 * x - 2 * z);
  let crest = 0;
  for (const { vector, phase } of waves) {
    const angle = 0.5 * (vector[0] * bentX + vector[1] * bentY + vector[2] * z + phase);
    crest = Math.max(crest, Math.abs(Math.cos(angle)));
  }
  // The crest of each wave is |cos| near 1; `wall` of its length lies above this threshold.
  const threshold = Math.cos((Math.PI / 2) * wall);
  return crest > threshold ? (crest - threshold) / (1 - threshold) : 0;
}

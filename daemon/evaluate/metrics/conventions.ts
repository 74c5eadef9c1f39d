import type { CaseStatus, ConventionName } from '../../../protocol/evaluation/segmentation.ts';
import type { SurfaceRule } from './surfaceMeasures.ts';

/** Numbers on which tools differ. */
type Value = 'dice' | 'iou' | 'hd95' | 'assd' | 'surfaceDice';
/** What a number is where a structure is missing. null: undefined or infinite, and in no mean. */
type EmptyValue = number | 'diagonal' | null;

export interface Convention {
  readonly name: ConventionName;
  /** Raised whenever a definition changes. */
  readonly version: number;
  /** The tool whose numbers these are. */
  readonly matches: string;
  /** null: it has no distances. */
  readonly surface: SurfaceRule | null;
  readonly surfaceDice: boolean;
  readonly empty: Readonly<Record<Exclude<CaseStatus, 'ok'>, Readonly<Record<Value, EmptyValue>>>>;
  readonly definitions: Readonly<Partial<Record<Value | 'empty', string>>>;
}

const overlaps = {
  dice: 'Dice: 2 |P ∩ R| / (|P| + |R|), of voxels.',
  iou: 'IoU: |P ∩ R| / |P ∪ R|, of voxels.',
};
const voxelSurface =
  'The surface is every voxel that has a face-neighbour outside the structure (or outside the image); each counts the same.';
const values = (dice: EmptyValue, iou: EmptyValue, hd95: EmptyValue, assd: EmptyValue, surfaceDice: EmptyValue) => ({
  dice,
  iou,
  hd95,
  assd,
  surfaceDice,
});
const allNull = values(null, null, null, null, null);

export const conventions: Readonly<Record<ConventionName, Convention>> = {
  unimiss: {
    name: 'unimiss',
    version: 1,
    matches: 'UniMiSS',
    surface: { points: 'voxels', hausdorff: 'pooled', average: 'directed' },
    surfaceDice: true,
    empty: {
      'both-empty': allNull,
      missed: values(0, 0, 'diagonal', 'diagonal', 0),
      'false-positive': values(0, 0, 'diagonal', 'diagonal', 0),
    },
    definitions: {
      ...overlaps,
      hd95: `HD95 (mm): 95th percentile, with linear interpolation, of the distances from each surface to the other, both together. ${voxelSurface}`,
      assd: 'ASSD (mm): mean of the two directed mean surface distances.',
      surfaceDice:
        'Normalised surface Dice: share of all surface voxels that lie within the tolerance of the other surface.',
      empty:
        'Where neither has the structure (both-empty), it enters no mean. Where only one has it (missed, false-positive), overlaps are 0, and a distance is the diagonal of the image in "mean" and absent from "mean over ok".',
    },
  },
  monai: {
    name: 'monai',
    version: 1,
    matches:
      'MONAI 1.6.1 (compute_dice, compute_iou, compute_hausdorff_distance, compute_average_surface_distance with symmetric=True, compute_surface_dice)',
    surface: { points: 'voxels', hausdorff: 'larger', average: 'pooled' },
    surfaceDice: true,
    empty: {
      'both-empty': allNull,
      missed: values(0, 0, null, null, 0),
      'false-positive': values(null, null, null, null, 0),
    },
    definitions: {
      ...overlaps,
      hd95: `HD95 (mm): the larger of the two directed 95th percentiles. ${voxelSurface}`,
      assd: 'ASSD (mm): mean of the surface distances in both directions together.',
      surfaceDice:
        'Normalised surface Dice: share of all surface voxels that lie within the tolerance of the other surface.',
      empty:
        'Where the reference lacks the structure, Dice and IoU are undefined and enter no mean. A distance to a missing structure is infinite; it is null here and enters no mean.',
    },
  },
  medpy: {
    name: 'medpy',
    version: 1,
    matches: 'MedPy 0.5.2 (dc, jc, hd95, assd)',
    surface: { points: 'voxels', hausdorff: 'pooled', average: 'pooled' },
    surfaceDice: false,
    empty: {
      'both-empty': values(null, 1, null, null, null),
      missed: values(0, 0, null, null, null),
      'false-positive': values(0, 0, null, null, null),
    },
    definitions: {
      ...overlaps,
      hd95: `HD95 (mm): 95th percentile of the distances in both directions together. ${voxelSurface}`,
      assd: 'ASSD (mm): mean of the surface distances in both directions together.',
      empty:
        'MedPy refuses distances to a missing structure: null here, and in no mean. IoU is 1 where neither has it.',
    },
  },
  deepmind: {
    name: 'deepmind',
    version: 1,
    matches: 'surface-distance 0.1 (DeepMind)',
    surface: { points: 'surfels', hausdorff: 'larger', average: 'directed' },
    surfaceDice: true,
    empty: {
      'both-empty': allNull,
      missed: values(0, 0, null, null, 0),
      'false-positive': values(0, 0, null, null, 0),
    },
    definitions: {
      ...overlaps,
      hd95: 'HD95 (mm): the larger of the two directed 95th percentiles, weighted by area. The surface consists of elements between voxels (marching cubes), each with its area.',
      assd: 'ASSD (mm): mean of the two directed mean surface distances, weighted by area.',
      surfaceDice:
        'Normalised surface Dice: share of the area of both surfaces that lies within the tolerance of the other.',
      empty: 'A distance to a missing structure is infinite; it is null here and enters no mean.',
    },
  },
  nnunet: {
    name: 'nnunet',
    version: 1,
    matches: 'nnU-Net 2.8.1 (compute_metrics): overlaps and its rule for empty structures',
    surface: null,
    surfaceDice: false,
    empty: {
      'both-empty': allNull,
      missed: values(0, 0, null, null, null),
      'false-positive': values(0, 0, null, null, null),
    },
    definitions: {
      ...overlaps,
      empty:
        'Where neither has the structure, Dice and IoU are undefined and enter no mean; where only one has it, they are 0. nnU-Net computes no distances.',
    },
  },
};

/** Definitions that all conventions share. */
export const sharedDefinitions = {
  volumeError: 'Volume error: (prediction − reference) / reference; undefined where the reference lacks the structure.',
  volumeErrorMl: 'Volume error (ml; cm² for pictures): prediction − reference.',
  lesionF1:
    'Lesion-wise F1: lesions are parts that touch by a face, an edge or a corner. A lesion of the reference is found where at least one of its voxels is predicted; a predicted lesion without a voxel of the reference is extra. F1 = 2 found / (2 found + missed + extra).',
  mean: 'Mean: over cases; of all classes together, the mean of the classes’ means. "Mean over ok" takes only cases in which both have the structure.',
  interval:
    '95 % interval: percentile bootstrap of the mean over patients (all cases of a patient are drawn together).',
} as const;

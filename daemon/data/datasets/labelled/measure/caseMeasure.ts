import type { Modality } from '../../../../../protocol/modality.ts';
import type { Affine } from '../../../formats/niftiGeometry.ts';
import type { Misplaced } from '../../../prepared/misplacement.ts';
import type { Size3 } from '../../../prepared/types.ts';
import type { LabelClass, LabelledCase, LabelSource } from '../types.ts';

/** A case to look at, as plain data that travels to a thread. */
export interface MeasureTask extends Pick<LabelledCase, 'id' | 'channels'> {
  readonly label: LabelSource | null;
  readonly modality: Modality;
  readonly exclusive: boolean;
  readonly labels: readonly LabelClass[];
  readonly ignore: number | null;
  /** The number of the volume that is taken from files with several (4-D), from 0; absent: such files are refused. */
  readonly volume?: number;
}

/** What the voxels of one channel show. */
export interface ChannelMeasure {
  readonly min: number;
  readonly max: number;
  /** Whether all values are whole numbers. */
  readonly whole: boolean;
  /** At most `sampleSize` values of the foreground (of all voxels where there is no label), drawn with replacement. */
  readonly sample: Float32Array;
}

/** What the voxels of a file show. */
export interface FileMeasure {
  readonly path: string;
  /** `imageDigest`. */
  readonly digest: string;
  readonly size: Size3;
  /** mm, [slice, x, y]; null: a picture, or a header without usable spacing. */
  readonly spacing: readonly [number, number, number] | null;
  /** null: a picture. */
  readonly affine: Affine | null;
  /** A picture whose three channels are equal; volumes are grey. */
  readonly grey: boolean;
  /** Clauses whose subject is the file: its orientation, files of another series. */
  readonly notices: readonly string[];
}

export interface LabelMeasure {
  readonly path: string;
  readonly size: Size3;
  readonly affine: Affine | null;
  /** Values of a map that no class has, with the number of their voxels. */
  readonly unknown: readonly (readonly [value: number, voxels: number])[];
  /** Voxels of each of the data set's `labels`. */
  readonly voxels: readonly number[];
  /** Mean column (from the patient's right to the left) of each label; NaN where it is not there. */
  readonly columns: readonly number[];
  /** Voxels that lie in several masks. */
  readonly overlapping: number;
  readonly ignored: number;
}

/** What the voxels of a case show. */
export interface CaseMeasure {
  readonly id: string;
  readonly files: readonly FileMeasure[];
  readonly channels: readonly ChannelMeasure[];
  /** One a file of labels; only the first has counts where there are several. null: no label, or it cannot be compared with the image. */
  readonly label: LabelMeasure | null;
  /** Files of labels whose size or place differs from the image's. */
  readonly misplaced: readonly Misplaced[];
  readonly broken: readonly { readonly path: string; readonly what: string; readonly remedy?: string }[];
}

import type { Modality } from '../../../../protocol/modality.ts';

/** How a labelled data set lies in its folder (docs/datasets.md). */
export const layoutNames = ['nnunet', 'decathlon', 'pairs', 'table', 'classFolders'] as const;
export type Layout = (typeof layoutNames)[number];

export const splitNames = ['train', 'validation', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

/** An image, or several channels of one, of which a label is known or asked for. */
export interface LabelledCase {
  /** Unique in its data set, with `/`; the same wherever the folder lies. */
  readonly id: string;
  /** Who it is of. Images of a patient never lie on two sides of a split. Without a better source this is the id. */
  readonly patient: string;
  /** Absolute paths: one a channel, or a single file that holds all channels (a colour picture). A DICOM series is its folder. */
  readonly channels: readonly string[];
  /** The side that the data set itself gives it; null: it says nothing. */
  readonly split: SplitName | null;
}

/** Where the labels of a case's voxels are. */
export type LabelSource =
  /** One map: its values are those of `LabelClass.values`. */
  | { readonly kind: 'map'; readonly path: string }
  /** A mask for each label but the background, in their order; null: this case has none of it. A voxel belongs to it where it is not 0. */
  | { readonly kind: 'masks'; readonly paths: readonly (string | null)[] };

export interface SegmentationCase extends LabelledCase {
  /** null: unlabelled, as the test images of a challenge. */
  readonly label: LabelSource | null;
}

export interface ClassificationCase extends LabelledCase {
  /** Indices into the data set's `labels`: one where they are exclusive, else any number. null: unlabelled. */
  readonly classes: readonly number[] | null;
}

/** A class, or a structure. */
export interface LabelClass {
  readonly name: string;
  /** Segmentation: values in the label map that belong to it (a region has several). Classification: its index. */
  readonly values: readonly number[];
}

/** What is wrong with a data set, or looks so. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly kind: FindingKind;
  /** File (absolute), or `file:line` of a table. */
  readonly place: string;
  /** A clause whose subject is the place. */
  readonly what: string;
  /** A sentence in the imperative. */
  readonly remedy: string;
  /** The case that cannot be used because of an error. */
  readonly case?: string;
}

export const findingKinds = [
  'brokenFile',
  'missingLabel',
  'missingImage',
  'missingFile',
  'repeatedRow',
  'table',
  'channels',
  'modality',
  'unknownValue',
  'geometry',
  'orientation',
  'spacing',
  'notFinite',
  'notHu',
  'emptyForeground',
  'overlap',
  'colour',
  'duplicate',
  'patientOnBothSides',
  'split',
  'missingClass',
  'unusedClass',
  'preset',
] as const;
export type FindingKind = (typeof findingKinds)[number];

interface DatasetParts {
  /** The folder or table that was opened, absolute. */
  readonly path: string;
  /** Folder of which ids are relative. */
  readonly root: string;
  readonly name: string;
  readonly modality: Modality;
  readonly layout: Layout;
  /** Whether a voxel or image has exactly one class; otherwise several at once, or none. */
  readonly exclusive: boolean;
  /** Names of the channels. A colour picture in one file: red, green, blue. */
  readonly channels: readonly string[];
  /** Exclusive segmentation: background first, whose values hold 0. Otherwise no background. */
  readonly labels: readonly LabelClass[];
  /** Value in label maps of voxels that count for nothing. */
  readonly ignore: number | null;
  /** What its files' names and headers show. What the voxels show, `checkLabelled` finds. */
  readonly problems: readonly Finding[];
}

export interface SegmentationDataset extends DatasetParts {
  readonly problem: 'segmentation';
  readonly cases: readonly SegmentationCase[];
}

export interface ClassificationDataset extends DatasetParts {
  readonly problem: 'classification';
  readonly ignore: null;
  readonly cases: readonly ClassificationCase[];
}

/** Labelled images as they lie in a folder, in natural order of their ids. */
export type LabelledDataset = SegmentationDataset | ClassificationDataset;

export interface OpenOptions {
  /** Default: recognised by what is there. */
  readonly layout?: Layout;
  /** The number of the volume that is taken from files with several (4-D), from 0. Default: such files are refused. */
  readonly volume?: number;
  /** Called with the number of files whose headers were read. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

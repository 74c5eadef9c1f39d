import type { PlanOptions } from '../plan/planFor.ts';
import type { LabelledDataset } from '../types.ts';

/** A public data set: what it must look like here, and how it is trained on and measured. */
export interface DatasetPreset {
  /** As in `--preset`. */
  readonly name: string;
  readonly title: string;
  readonly problem: LabelledDataset['problem'];
  readonly modality: LabelledDataset['modality'];
  readonly exclusive: boolean;
  /** Names of the labels, without the background, in any order; compared without case, spaces and hyphens. */
  readonly labels: readonly string[];
  /** What is fixed; the rest comes from the images. */
  readonly fixed: NonNullable<PlanOptions['fixed']>;
  /** Further fields of `train` in the configuration. */
  readonly train: Readonly<Record<string, unknown>>;
  /** What the publications report. */
  readonly metrics: readonly string[];
  /** Page with source, layout and command. */
  readonly page: string;
}

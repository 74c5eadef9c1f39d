import type { Experiment, Measure } from '../../../protocol/compare/experiment.ts';
import type { Modality } from '../../../protocol/modality.ts';
import type { Answer, ArmMean } from './answers.ts';
import type { Compute } from './compute.ts';
import type { Figure } from './figure.ts';

/** All that was found by an experiment. */
export interface Comparison {
  readonly experiment: Experiment;
  readonly hash: string;
  /** When it was fixed, ISO 8601. */
  readonly fixed: string;
  /** Of the machines that measured the scores. */
  readonly processors: readonly string[];
  /** When the first and the last score were measured, ISO 8601. */
  readonly measured: readonly [first: string, last: string];
  /** How long the arms trained, where they were matched by compute. */
  readonly compute: Compute | undefined;
  readonly answers: readonly Answer[];
  readonly sections: readonly Section[];
}

/** What was measured by a task on a modality. */
export interface Section {
  readonly task: Measure;
  readonly modality: Modality;
  readonly arms: readonly string[];
  readonly means: readonly ArmMean[];
  readonly figure: Figure;
  readonly figureName: string;
}

export function scoreOf({ means }: Section, arm: string, labels: number): ArmMean | undefined {
  return means.find((one) => one.arm === arm && one.labels === labels);
}

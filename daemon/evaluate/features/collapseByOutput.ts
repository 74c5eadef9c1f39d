import type { Warning } from '../../../protocol/records/warning.ts';
import type { Collapse, CollapseSizes } from './collapse.ts';

/** Signs of collapse of one output of a 3D epoch: of the volumes, or of their slices. */
export interface OutputCollapse extends Collapse {
  readonly output: 'volume' | 'slices';
  /** Cross-entropy of the other output's student with this output's teacher, nats; above log(outputs): worse than a guess. */
  readonly across: number;
}

/**
 * Thresholds, chosen so that a run which learns does not exceed them:
 * - `worse`: nats above log(outputs). A student that knows nothing has log(outputs); one that is above contradicts the teacher. Runs in which
 *   volumes and slices shared one centre and the volumes did not learn stayed 0.27 to 1 above in every epoch; runs that learn are below.
 * - `narrow`: deviation of the volumes' features times √featureLength (1: even). The same runs had 0.06 to 0.10, runs that learn 0.8.
 * - `behind`: how many times as wide the slices' features are.
 */
export const outputThresholds = { worse: 0.2, narrow: 0.12, behind: 1.5 };

const names = { volume: 'volumes', slices: 'slices' } as const;

/** Warnings that one output collapses while the other learns; empty if all is well. */
export function outputWarnings(outputs: readonly OutputCollapse[], sizes: CollapseSizes): Warning[] {
  const most = Math.log(sizes.outputs);
  const warnings: Warning[] = [];
  const advice =
    'Try train.centers "separate", a KoLeo regulariser (train.koleo 0.1 to 0.3) and a lower train.teacherTemperature.value; and more 3D steps (train.stepsPerEpoch, train.interval).';
  for (const one of outputs) {
    const other = outputs.find(({ output }) => output !== one.output);
    if (!other) continue;
    const relative = one.featureStd * Math.sqrt(sizes.featureLength);
    if (relative < outputThresholds.narrow && other.featureStd > outputThresholds.behind * one.featureStd)
      warnings.push({
        what: `The ${names[one.output]} look nearly alike to the network (deviation ${one.featureStd.toPrecision(2)}), while their ${names[other.output]} do not (${other.featureStd.toPrecision(2)}).`,
        advice,
      });
    if (one.across > most + outputThresholds.worse)
      warnings.push({
        what: `From the ${names[other.output]}, the student predicts the output of the ${names[one.output]} worse than by guessing (${one.across.toFixed(2)} nats; guessing has ${most.toFixed(2)}).`,
        advice,
      });
  }
  return warnings;
}

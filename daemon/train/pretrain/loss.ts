import type { Modality } from '../../../protocol/modality.ts';
import { lossTerms } from '../../../protocol/records/series.ts';
import {
  add,
  concat,
  differentiable,
  div,
  exp,
  log,
  logSoftmax,
  mean,
  mul,
  neg,
  rows,
  stack,
  sub,
  sum,
  type Tensor,
} from '../../engine/ops/index.ts';

/** The inputs for which a network has outputs: 2D images, or volumes and their slices. */
export type OutputName = 'image' | 'volume' | 'slices';

/** Outputs of a head, [2B, out] each: rows of first views, then rows of second views. */
export type Outputs = Partial<Record<OutputName, Tensor>>;

/** A term of the loss: the outputs of student and teacher that it compares. */
export interface Term {
  /** Its name in `lossTerms`. */
  readonly name: string;
  readonly student: OutputName;
  readonly teacher: OutputName;
}

const termOf = (name: `${OutputName}-${OutputName}`): Term => {
  const [student, teacher] = name.split('-') as [OutputName, OutputName];
  return { name, student, teacher };
};

/** The terms of each phase's loss, in the order in which they move the centre. */
export const terms: Readonly<Record<Modality, readonly Term[]>> = {
  '2D': lossTerms['2D'].map(termOf),
  '3D': lossTerms['3D'].map(termOf),
};

/** Softmax of (outputs − centre) / temperature, and its logarithm; [2B, out], without gradient. */
export interface Distribution {
  readonly probability: Tensor;
  readonly logProbability: Tensor;
}

export function sharpen(outputs: Tensor, center: Tensor, temperature: Tensor): Distribution {
  const logProbability = logSoftmax(div(sub(outputs, center), temperature));
  return { logProbability, probability: exp(logProbability) };
}

/** Swaps the two halves of the rows: each row becomes that of the other view of the same image. */
function swapViews(views: Tensor): Tensor {
  const half = views.shape[0]! / 2;
  return concat([rows(views, half, half), rows(views, 0, half)], 0);
}

/**
 * Cross-entropy between the teacher's distribution of one view and the student's of the other, averaged over views and images.
 * @param student outputs [2B, out]
 * @param teacher probabilities [2B, out], a constant
 *
 * Gradient, with p = softmax(student / τ) and q the teacher's of the other view: (p − q) / (2B τ).
 */
export function pairLoss(student: Tensor, teacher: Tensor, temperature: number): Tensor {
  const count = student.shape[0]!;
  const target = swapViews(teacher);
  return differentiable(
    [student],
    (save) => {
      const logProbability = logSoftmax(mul(student, 1 / temperature));
      save(logProbability, target);
      return mul(sum(mul(target, logProbability)), -1 / count);
    },
    (dy, [logProbability, target]) => [mul(sub(exp(logProbability!), target!), mul(dy, 1 / (count * temperature)))],
  );
}

/** Which outputs share a centre: all one, as in the reference, or each its own. */
export type Centers = 'shared' | 'separate';

/** The rows of separate centres. */
const centerRows: readonly OutputName[] = ['image', 'volume', 'slices'];

export function centerCount(centers: Centers): number {
  return centers === 'shared' ? 1 : centerRows.length;
}

/**
 * The teacher's distributions for each term, each with the centre as moved by the terms before it, and the final centres.
 * @param teacher its outputs [2 B, out], and their means over the batch [1, out]
 * @param center [1, out], or [3, out] for separate centres of pictures, volumes and slices
 * @param temperature [], above 0
 * @param momentum share of the old centre, 0–1
 * @returns distributions [2 B, out], whose rows sum to 1; the centres in their shape
 */
export function targets(
  phase: Modality,
  { outputs, means }: { readonly outputs: Outputs; readonly means: Outputs },
  center: Tensor,
  temperature: Tensor,
  momentum: number,
): { distributions: Distribution[]; center: Tensor } {
  const count = center.shape[0]!;
  const moved = count === 1 ? [center] : Array.from({ length: count }, (_, row) => rows(center, row, 1));
  const distributions = terms[phase].map((term) => {
    const row = count === 1 ? 0 : centerRows.indexOf(term.teacher);
    const distribution = sharpen(outputs[term.teacher]!, moved[row]!, temperature);
    moved[row] = add(mul(moved[row]!, momentum), mul(means[term.teacher]!, 1 - momentum));
    return distribution;
  });
  return { distributions, center: count === 1 ? moved[0]! : concat(moved, 0) };
}

/** Mean over the batch, [1, out]. */
export function batchMean(outputs: Tensor): Tensor {
  return mean(outputs, [0], true);
}

/** Signs of collapse in the teacher's distributions: means over the terms, and the values of each term, in nats. */
export interface TeacherStatistics {
  /** Mean entropy of a row. */
  readonly entropy: Tensor;
  /** KL divergence of the mean row from the uniform distribution. */
  readonly divergence: Tensor;
  /** [terms] */
  readonly entropies: Tensor;
  readonly divergences: Tensor;
}

export function teacherStatistics(distributions: readonly Distribution[]): TeacherStatistics {
  const average = (values: Tensor[]) =>
    mul(
      values.reduce((a, b) => add(a, b)),
      1 / values.length,
    );
  const entropies = distributions.map(({ probability, logProbability }) =>
    neg(mul(sum(mul(probability, logProbability)), 1 / probability.shape[0]!)),
  );
  const divergences = distributions.map(({ probability }) => {
    const row = mean(probability, [0]);
    return add(sum(mul(row, log(add(row, 1e-30)))), Math.log(row.size));
  });
  return {
    entropy: average(entropies),
    divergence: average(divergences),
    entropies: stack(entropies),
    divergences: stack(divergences),
  };
}

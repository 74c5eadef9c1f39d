import type { WindowBatch } from '../../../data/loader/labelled/types.ts';
import { Ranking } from '../../../evaluate/metrics/ranking.ts';
import type { Validation, ValidationValues } from './types.ts';

export interface ClassificationValidationOptions {
  readonly names: readonly string[];
  /** Whether an image may have several classes. */
  readonly overlapping: boolean;
}

/**
 * AUC, accuracy and loss of images. Exclusive classes: softmax; of two classes the AUC is that of the second, of more the mean of each
 * against the rest. Several at once: sigmoid; the accuracy counts each class of each image. A class that no image or all images have has
 * no AUC.
 */
export class ClassificationValidation implements Validation {
  private readonly scores: number[][];
  private readonly truths: boolean[][];
  private crossEntropy = 0;
  private correct = 0;
  private counted = 0;

  constructor(private readonly options: ClassificationValidationOptions) {
    this.scores = options.names.map(() => []);
    this.truths = options.names.map(() => []);
  }

  add({ labels }: Pick<WindowBatch, 'labels'>, logits: Float32Array): void {
    const { overlapping, names } = this.options;
    const outputs = names.length;
    for (let i = 0; i < logits.length / outputs; i++) {
      const own = logits.subarray(i * outputs, (i + 1) * outputs);
      if (overlapping) this.addSeveral(own, labels.subarray(i * outputs, (i + 1) * outputs));
      else this.addOne(own, labels[i]!);
    }
  }

  values(): ValidationValues {
    const { names, overlapping } = this.options;
    if (this.counted === 0) return {};
    const areas = names.flatMap((name, k) => {
      const area = new Ranking(this.scores[k]!, this.truths[k]!).auc();
      return area === null ? [] : [[name, area] as const];
    });
    const two = !overlapping && names.length === 2;
    const counted = two ? areas.slice(-1) : areas;
    return {
      validationLoss: this.crossEntropy / this.counted,
      accuracy: this.correct / this.counted,
      ...(counted.length > 0 && { auc: counted.reduce((sum, [, area]) => sum + area, 0) / counted.length }),
      ...(!two && Object.fromEntries(areas.map(([name, area]) => [`auc/${name}`, area]))),
    };
  }

  private addOne(logits: Float32Array, label: number): void {
    const most = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
    for (const [k, logit] of logits.entries()) {
      this.scores[k]!.push(Math.exp(logit - most) / total);
      this.truths[k]!.push(k === label);
    }
    this.crossEntropy += most + Math.log(total) - logits[label]!;
    if (logits.indexOf(most) === label) this.correct++;
    this.counted++;
  }

  private addSeveral(logits: Float32Array, labels: Int32Array): void {
    for (const [k, logit] of logits.entries()) {
      if (labels[k]! < 0) continue;
      const truth = labels[k] === 1;
      this.scores[k]!.push(logit);
      this.truths[k]!.push(truth);
      this.crossEntropy += Math.max(logit, 0) - (truth ? logit : 0) + Math.log1p(Math.exp(-Math.abs(logit)));
      if (logit > 0 === truth) this.correct++;
      this.counted++;
    }
  }
}

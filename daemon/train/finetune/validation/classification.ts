import type { WindowBatch } from '../../../data/loader/labelled/types.ts';
import { Ranking } from '../../../evaluate/metrics/ranking.ts';
import { intervalsOf } from './intervals.ts';
import type { Validation, ValidationIntervals, ValidationOptions, ValidationValues } from './types.ts';

/** What the images whose truth is known say of one class. */
interface Scored {
  readonly scores: number[];
  readonly truths: boolean[];
  /** Positions of the images among all. */
  readonly images: number[];
}

/** An image: its patient, and how many of its answers are right. */
interface Answered {
  readonly patient: string;
  correct: number;
  counted: number;
}

/**
 * AUC, accuracy and loss of images. Exclusive classes: softmax; of two classes the AUC is that of the second, of more the mean of each
 * against the rest. Several at once: sigmoid; the accuracy counts each class of each image. A class that no image or all images have has
 * no AUC.
 */
export class ClassificationValidation implements Validation {
  private readonly scored: readonly Scored[];
  private readonly images: Answered[] = [];
  private crossEntropy = 0;
  private counted = 0;

  constructor(private readonly options: ValidationOptions) {
    this.scored = options.names.map(() => ({ scores: [], truths: [], images: [] }));
  }

  add({ labels, windows }: Pick<WindowBatch, 'labels' | 'windows'>, logits: Float32Array): void {
    const { overlapping, names, patientOf } = this.options;
    const outputs = names.length;
    for (const [i, { case: number }] of windows.entries()) {
      const image = { patient: patientOf(number), correct: 0, counted: 0 };
      this.images.push(image);
      const own = logits.subarray(i * outputs, (i + 1) * outputs);
      if (overlapping) this.addSeveral(image, own, labels.subarray(i * outputs, (i + 1) * outputs));
      else this.addOne(image, own, labels[i]!);
    }
  }

  values(): ValidationValues {
    if (this.counted === 0) return {};
    const areas = this.rankings().map(({ name, auc }) => [name, auc()] as const);
    const mean = this.meanOf(areas.map(([, area]) => area));
    return {
      validationLoss: this.crossEntropy / this.counted,
      accuracy: this.accuracy() ?? 0,
      ...(mean !== null && { auc: mean }),
      ...(!this.two &&
        Object.fromEntries(areas.flatMap(([name, area]) => (area === null ? [] : [[`auc/${name}`, area]])))),
    };
  }

  intervals(): ValidationIntervals {
    const patients = this.images.map(({ patient }) => patient);
    const rankings = this.rankings();
    return intervalsOf(patients, [
      ['accuracy', (weights) => this.accuracy(weights)],
      ['auc', (weights) => this.meanOf(rankings.map(({ auc }) => auc(weights)))],
      ...(this.two ? [] : rankings.map(({ name, auc }) => [`auc/${name}`, auc] as const)),
    ]);
  }

  /** Of two exclusive classes one AUC says all. */
  private get two(): boolean {
    return !this.options.overlapping && this.options.names.length === 2;
  }

  /** The AUC of each class, with a weight for each image or without. */
  private rankings(): { name: string; auc(weights?: Int32Array): number | null }[] {
    return this.options.names.map((name, k) => {
      const { scores, truths, images } = this.scored[k]!;
      const ranking = new Ranking(scores, truths);
      return { name, auc: (weights) => ranking.auc(weights && Int32Array.from(images, (i) => weights[i]!)) };
    });
  }

  /** Mean of the areas that there are. */
  private meanOf(areas: readonly (number | null)[]): number | null {
    const known = (this.two ? areas.slice(-1) : areas).filter((area) => area !== null);
    return known.length === 0 ? null : known.reduce((sum, area) => sum + area, 0) / known.length;
  }

  private accuracy(weights?: Int32Array): number | null {
    let [correct, counted] = [0, 0];
    for (const [i, image] of this.images.entries()) {
      const weight = weights?.[i] ?? 1;
      correct += weight * image.correct;
      counted += weight * image.counted;
    }
    return counted === 0 ? null : correct / counted;
  }

  private addOne(image: Answered, logits: Float32Array, label: number): void {
    const most = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
    for (const [k, logit] of logits.entries()) this.score(k, Math.exp(logit - most) / total, k === label);
    this.crossEntropy += most + Math.log(total) - logits[label]!;
    this.answer(image, logits.indexOf(most) === label);
  }

  private addSeveral(image: Answered, logits: Float32Array, labels: Int32Array): void {
    for (const [k, logit] of logits.entries()) {
      if (labels[k]! < 0) continue;
      const truth = labels[k] === 1;
      this.score(k, logit, truth);
      this.crossEntropy += Math.max(logit, 0) - (truth ? logit : 0) + Math.log1p(Math.exp(-Math.abs(logit)));
      this.answer(image, logit > 0 === truth);
    }
  }

  private score(k: number, score: number, truth: boolean): void {
    const { scores, truths, images } = this.scored[k]!;
    scores.push(score);
    truths.push(truth);
    images.push(this.images.length - 1);
  }

  private answer(image: Answered, right: boolean): void {
    image.counted++;
    this.counted++;
    if (right) image.correct++;
  }
}

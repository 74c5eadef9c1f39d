import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { AugmentProbabilities, FinetuneInput } from '../../../protocol/config/finetune/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import {
  type ClassificationEvaluation,
  classificationEvaluation,
} from '../../../protocol/evaluation/classification.ts';
import type { Modality } from '../../../protocol/modality.ts';
import { evaluationFiles } from '../../evaluate/metrics/writeEvaluation.ts';
import { percent } from '../commands/embed.ts';
import { accuracyDifference } from './accuracyDifference.ts';
import type { DemoSteps } from './demoSteps.ts';
import type { Fact } from './fact.ts';
import { points, pointsInterval } from './points.ts';

export interface FineTuned {
  readonly modality: Modality;
  readonly facts: readonly Fact[];
  /** Page of the evaluation. */
  readonly report: string;
  /** Folder of the run that began from the pre-trained network. */
  readonly folder: string;
}

/**
 * Fine-tunes a pre-trained network on labelled images of one modality, and the same network from scratch; then measures both on the
 * same test images.
 * @param pretrained folder of the pre-training
 * @param table the labelled images
 * @returns the folder of the run that was stopped, where one was
 */
export async function fineTuneBoth(
  steps: DemoSteps,
  {
    modality,
    pretrained,
    table,
    root,
    epochs,
    seed,
  }: { modality: Modality; pretrained: string; table: string; root: string; epochs: number; seed: number },
): Promise<FineTuned | { readonly stopped: string }> {
  const config = finetuneConfig(modality, table, { epochs, seed });
  const start = { ...config.start, from: pretrained };
  const folder = await steps.create(text({ ...config, start }), root);
  if ((await steps.train(folder)) === 'stopped') return { stopped: folder };
  const twinOf = basename(folder);
  const twin = await steps.create(text({ ...config, name: `demo-${modality}-scratch`, start: { twinOf } }), root);
  if ((await steps.train(twin)) === 'stopped') return { stopped: twin };
  const scratch = await evaluated(steps, twin, null);
  const own = await evaluated(steps, folder, twin);
  return { modality, folder, report: own.report, facts: factsOf(modality, own.evaluation, scratch.evaluation) };
}

async function evaluated(steps: DemoSteps, run: string, against: string | null) {
  const { folder, report } = await steps.evaluate(run, against);
  const read = JSON.parse(await readFile(join(folder, evaluationFiles.json), 'utf8'));
  return { report, evaluation: classificationEvaluation.parse(read) };
}

/** No random changes of training images. */
const unchanged: AugmentProbabilities = {
  ...{ rotation: 0, scaling: 0, mirror: 0, noise: 0, blur: 0, brightness: 0 },
  ...{ contrast: 0, lowResolution: 0, gamma: 0, invertedGamma: 0 },
};

/** The configuration of the demo's fine-tuning: few images, few steps. */
function finetuneConfig(
  modality: Modality,
  table: string,
  { epochs, seed }: { epochs: number; seed: number },
): FinetuneInput {
  return {
    task: 'finetune',
    name: `demo-${modality}`,
    ...{ problem: 'classification', modality },
    data: { path: table },
    plan: { patch: modality === '2D' ? [64, 64] : [16, 64, 64] },
    model: { preset: 'nano' },
    // The teacher has the better features.
    start: { network: 'teacher' },
    train: {
      ...{ epochs, batch: 8, lr: 1e-3, seed, earlyStopping: null },
      // For curves alone: the last checkpoint is measured. So few images choose badly: their loss would take the first ones.
      validation: { everyEpochs: 10 },
    },
    // Random changes need far more steps: under them a network hardly begins to learn in these (docs/results.md).
    augment: unchanged,
    engine: { executor: 'graph' },
    // An epoch has two steps: writing a checkpoint after each would take longer than they do.
    checkpoint: { everyEpochs: 30 },
  };
}

function text(config: FinetuneInput): string {
  return `// Configuration of "unimiss demo". Edit it, then run: unimiss finetune config.unimiss.jsonc\n${JSON.stringify(config, null, 2)}\n`;
}

/** What both evaluations say, with intervals. */
function factsOf(modality: Modality, own: ClassificationEvaluation, scratch: ClassificationEvaluation): Fact[] {
  const accuracy = (label: string, how: string, { metrics, cases }: ClassificationEvaluation): Fact => {
    const { value, interval } = metrics.accuracy ?? { value: null, interval: null };
    const sure = interval ? `, 95 % interval ${percent(interval.low)}–${percent(interval.high)}` : '';
    return {
      ...{ key: 'finetuned', label, value: value === null ? '–' : percent(value) },
      note: `accuracy on ${cases.length} test images, ${how}${sure}`,
    };
  };
  const test = own.comparison?.tests.find(({ metric }) => metric === 'accuracy');
  if (!test)
    throw new UnimissError('internal', 'an evaluation without the comparison that was asked for', { place: own.name });
  const found = accuracyDifference(own, scratch);
  const sure = found ? `${pointsInterval(found)}. ` : '';
  return [
    accuracy(`Fine-tuned ${modality}`, 'begun from the pre-trained network', own),
    accuracy(`From scratch ${modality}`, 'the same without pre-training', scratch),
    {
      ...{ key: 'finetuned', label: `Difference ${modality}` },
      ...{ value: found ? `${points(found.difference)} points` : '–', note: `${sure}${test.sentence}` },
    },
  ];
}

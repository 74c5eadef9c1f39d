import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireFinetune } from '../../../../protocol/config/finetune/index.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import type { Exclusion } from '../../../../protocol/evaluation/common.ts';
import type { Evaluation } from '../../../../protocol/evaluation/evaluation.ts';
import type { LabelledPlane } from '../../../../protocol/evaluation/plane.ts';
import type { EvaluateResult, EvaluateTask } from '../../../../protocol/jobs/evaluateMessages.ts';
import type { ClassificationCase, SegmentationCase } from '../../../data/datasets/labelled/types.ts';
import { prepareImage } from '../../../data/prepared/prepareImage.ts';
import { readCase, type StoredCase } from '../../../data/prepared/readCase.ts';
import { ignoredLabel } from '../../../data/prepared/types.ts';
import {
  type ClassificationCaseInput,
  evaluateClassification,
} from '../../../evaluate/metrics/evaluateClassification.ts';
import {
  type EvaluationOptions,
  evaluateSegmentation,
  type SegmentationCaseInput,
} from '../../../evaluate/metrics/evaluateSegmentation.ts';
import { evaluationFiles, writeEvaluation } from '../../../evaluate/metrics/writeEvaluation.ts';
import { writeEvaluationReport } from '../../../evaluate/report/evaluation/evaluationReport.ts';
import { planePicture, worstAndBest } from '../../../evaluate/report/evaluation/planePicture.ts';
import { inPlainWords } from '../../../evaluate/report/evaluation/words.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import type { OnJobProgress } from '../job.ts';
import { classify, segment, settingsOf } from '../predict/labelImage.ts';
import { type OpenNetwork, openNetwork } from '../predict/network.ts';
import { LeakageCheck } from './leakageCheck.ts';
import { type SplitCases, splitCases } from './splitCases.ts';

/** Pictures of the worst and of the best cases each. */
const pictured = 3;

type Case = SegmentationCase | ClassificationCase;

/**
 * Measures a run's network on a split of its data set, in the grid of each image. Writes numbers, tables and a report into a folder. A case
 * whose files cannot be read is excluded by name.
 * @throws UnimissError 'run', 'checkpoint', 'data' where no case is left, 'disk'
 */
export async function evaluateRun(
  run: RunFolder,
  task: EvaluateTask,
  onProgress: OnJobProgress,
): Promise<EvaluateResult> {
  const config = requireFinetune(run.config);
  const notices = [...run.notices];
  const network = await openNetwork(run, task.checkpoint, (message) => notices.push(message));
  try {
    const opened = await splitCases(config, run, task.split);
    const { split, cases } = opened;
    const folder = task.out ?? join(run.folder, 'evaluations', `${split}-${network.step}`);
    const exclusions: Exclusion[] = [];
    const options: EvaluationOptions = {
      ...{ name: run.id, split, exclusions },
      versions: { ...(await versionsOf(run)), checkpoint: `step ${network.step}` },
    };
    const leakage = await LeakageCheck.of(config.start.from);
    const on = { leakage, network, opened, task, options, exclusions, onProgress };
    const { evaluation: numbers, planes } =
      network.plan.problem === 'segmentation' ? await segmented(on) : await classified(on);
    const evaluation = { ...numbers, leakage: leakage.result(cases.length - exclusions.length) };
    await writeEvaluation(folder, evaluation);
    const report = join(folder, evaluationFiles.report);
    const configuration = await readFile(run.configFile, 'utf8');
    await writeEvaluationReport(report, { evaluation, planes, configuration });
    const words = inPlainWords(evaluation);
    return { folder, report, split, cases: cases.length - exclusions.length, words, excluded: exclusions, notices };
  } finally {
    network.close();
  }
}

interface Evaluated {
  readonly evaluation: Evaluation;
  readonly planes: readonly LabelledPlane[];
}

interface EvaluatedOn {
  readonly leakage: LeakageCheck;
  readonly network: OpenNetwork;
  readonly opened: SplitCases;
  readonly task: EvaluateTask;
  readonly options: EvaluationOptions;
  readonly exclusions: Exclusion[];
  readonly onProgress: OnJobProgress;
}

async function segmented({
  leakage,
  network,
  opened,
  task,
  options,
  exclusions,
  onProgress,
}: EvaluatedOn): Promise<Evaluated> {
  const { plan } = network;
  const { cases } = opened;
  const exclusive = plan.labels === 'exclusive';
  // Class numbers are positions in the plan: 0 is the background of exclusive labels.
  const classes = plan.classes.map(({ name }, k) => ({ name, values: [exclusive ? k : 1] })).slice(exclusive ? 1 : 0);
  const pictures = new Map<string, LabelledPlane>();
  async function* labelled(): AsyncGenerator<SegmentationCaseInput> {
    for (const [i, one] of cases.entries()) {
      onProgress(one.id, i, cases.length);
      const done = await excludingBroken(one, exclusions, () => labelsOf(network, opened, one, task));
      if (!done) continue;
      const { stored, reference, prediction } = done;
      leakage.see(one.id, stored);
      const spacing = stored.spacing ?? [1, 1, 1];
      pictures.set(
        one.id,
        planePicture({
          ...{ title: one.id, shape: stored.size, spacing, image: stored.channels[0] ?? [] },
          ...{
            reference: reference.subarray(0, voxelsOf(stored)),
            prediction: prediction.subarray(0, voxelsOf(stored)),
          },
          ignore: ignoredLabel,
        }),
      );
      yield {
        ...{ id: one.id, patient: one.patient, ...gridOf(stored) },
        labels: { kind: exclusive ? 'map' : 'masks', reference, prediction, ignore: ignoredLabel },
      };
    }
  }
  const { toleranceMm, convention } = task;
  const evaluation = await evaluateSegmentation(labelled(), { ...options, classes, toleranceMm, convention });
  onProgress('Report', cases.length, cases.length);
  const { worst, best } = worstAndBest(evaluation, pictured);
  return { evaluation, planes: [...worst, ...best].flatMap((id) => pictures.get(id) ?? []) };
}

/** Reference and prediction of a case in its own grid, by class numbers: one map, or a map a class. */
async function labelsOf(
  network: OpenNetwork,
  { dataset: { labels, exclusive, ignore } }: SplitCases,
  { id, channels: images, ...rest }: Case,
  task: EvaluateTask,
): Promise<{ stored: StoredCase; reference: Uint8Array; prediction: Uint8Array }> {
  const from = 'label' in rest ? rest.label : null;
  if (!from) throw new UnimissError('internal', 'a case without labels', { place: id });
  const settings = settingsOf(network);
  const classes = labels.map(({ values }) => values);
  const stored = await readCase({ id, images, labels: { overlapping: !exclusive, classes, ignore, from } }, settings);
  const { labels: known, ...image } = stored;
  if (!known) throw new UnimissError('internal', 'a case whose labels were not read', { place: id });
  const maps = await segment(network, prepareImage(image, settings, images[0] ?? id), stored.size, task);
  const prediction = new Uint8Array(maps.length * voxelsOf(stored));
  for (const [k, map] of maps.entries()) prediction.set(map, k * voxelsOf(stored));
  return { stored, reference: known.data, prediction };
}

/** A picture has two axes, and distances in pixels. */
function gridOf({ size, spacing }: StoredCase) {
  const [, ...plane] = size;
  return spacing
    ? { shape: size, spacing }
    : size[0] === 1
      ? { shape: plane, spacing: [1, 1] }
      : { shape: size, spacing: [1, 1, 1] };
}

function voxelsOf({ size }: StoredCase): number {
  return size[0] * size[1] * size[2];
}

async function classified({
  leakage,
  network,
  opened,
  options,
  exclusions,
  onProgress,
}: EvaluatedOn): Promise<Evaluated> {
  const { plan } = network;
  const { cases, validation, split } = opened;
  const both = split === 'validation' ? cases : [...cases, ...validation];
  const inputs = new Map<string, ClassificationCaseInput>();
  for (const [i, one] of both.entries()) {
    onProgress(one.id, i, both.length);
    const settings = settingsOf(network);
    const probabilities = await excludingBroken(one, exclusions, async () => {
      const stored = await readCase({ id: one.id, images: one.channels }, settings);
      if (cases.includes(one)) leakage.see(one.id, stored);
      return classify(network, prepareImage(stored, settings, one.channels[0] ?? one.id));
    });
    const reference = 'classes' in one ? one.classes : null;
    if (!probabilities || !reference) continue;
    const { id, patient } = one;
    inputs.set(id, { id, patient, reference, probabilities: plan.classes.map(({ name }) => probabilities[name] ?? 0) });
  }
  const of = (wanted: readonly Case[]) => wanted.flatMap(({ id }) => inputs.get(id) ?? []);
  const evaluation = evaluateClassification(of(cases), {
    ...options,
    classes: plan.classes.map(({ name }) => name),
    exclusive: plan.labels === 'exclusive',
    // Thresholds that were chosen on the evaluated cases themselves would flatter.
    ...(split === 'test' && { validation: of(validation) }),
  });
  onProgress('Report', both.length, both.length);
  return { evaluation, planes: [] };
}

/** What `make` gives; undefined, and an exclusion, where the case's files cannot be used. */
async function excludingBroken<T>(one: Case, exclusions: Exclusion[], make: () => Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof UnimissError) || error.code !== 'data') throw error;
    exclusions.push({ case: one.id, reason: error.message });
    return undefined;
  }
}

async function versionsOf(run: RunFolder): Promise<Record<string, string>> {
  const versions = await run.versions();
  return versions ? { UniMiSS: versions.unimiss, TensorFlow: versions.tensorflow, Node: versions.node } : {};
}

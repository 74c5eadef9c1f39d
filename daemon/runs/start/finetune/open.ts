import type { FinetuneConfig } from '../../../../protocol/config/index.ts';
import { messageOf, UnimissError } from '../../../../protocol/errors.ts';
import { PatchLoader, type PreparationFailure } from '../../../data/loader/labelled/index.ts';
import type { PreparedSummary } from '../../../data/loader/labelled/types.ts';
import { prunePrepared } from '../../../data/prepared/preparedCache.ts';
import type { Size3 } from '../../../data/prepared/types.ts';
import { downstreamOf, problemOf, stateOptions } from '../../../train/finetune/problem.ts';
import { createFineTuneState } from '../../../train/finetune/state.ts';
import { FineTuneTraining } from '../../../train/finetune/training.ts';
import { coveringWindows, middleWindow } from '../../../train/finetune/validation/windows.ts';
import { layOut } from '../../../train/plan.ts';
import type { Finding, Training } from '../../../train/training.ts';
import { type NetworkPlan, readNetworkPlan, writeNetworkPlan } from '../../folder/networkPlan.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import { openImageHashes } from '../openImageHashes.ts';
import type { OpenedOn } from '../task.ts';
import { absentClasses } from './absentClasses.ts';
import { openCases, type RunCases } from './cases.ts';
import { labelFacts } from './labelFacts.ts';
import { startValues } from './startValues.ts';

/** Opens a fine-tuning: its cases, prepared; plan and state. */
export async function openFinetuning(
  config: FinetuneConfig,
  { run, engine: { engine }, journal, resumes, stage }: OpenedOn,
): Promise<Training> {
  stage('Opening the data set');
  const opened = await openCases(config, run);
  journal.hideNames(opened.cases.flatMap(({ id, images }) => [id, ...images]));
  const { cases, training, validation, dataset } = opened;
  const stepsPerEpoch = config.train.stepsPerEpoch ?? Math.max(1, Math.floor(training.length / config.train.batch));
  const loader = openPatchLoader(config, opened, stepsPerEpoch);
  try {
    const { summaries, failures } = await loader.prepareCases((done, total) =>
      stage(`Preparing the images (${done} of ${total})`),
    );
    if (failures.length > 0) throw unusable(failures, cases.length);
    const prepared = summaries.filter((one) => one !== undefined);
    await settlePlan(run, networkPlanOf(config, opened, prepared));
    const told = await recordImages(opened, prepared, { run, journal, resumes });
    const removed = await pruneCache(config, prepared);
    const facts = labelFacts(config, opened, prepared);
    const model = downstreamOf(config, facts.outputs);
    const { first, findings } = await startValues(config, { model, resumes });
    const epoch = { group: config.modality, steps: stepsPerEpoch };
    const names = dataset.labels.map(({ name }) => name);
    return new FineTuneTraining({
      engine,
      config,
      names,
      problem: problemOf(config, facts),
      plan: layOut(Array.from({ length: config.train.epochs }, () => epoch)),
      stepsPerEpoch,
      description: describe(config, opened, stepsPerEpoch),
      state: createFineTuneState(engine, stateOptions(config, model), resumes ? null : first),
      findings: [...opened.findings, ...absentClasses(opened, prepared), ...told, ...removed, ...findings],
      loader,
      patientOf: (number) => opened.patients[number] ?? '',
      windows: validation.flatMap((number) => windowsOf(config, number, prepared[number])),
      stage,
    });
  } catch (error) {
    await loader.close();
    throw error;
  }
}

/** Records hashes of the images that are trained on, for later leakage checks: those for validation are not. */
async function recordImages(
  { cases, training }: RunCases,
  summaries: readonly PreparedSummary[],
  { run, journal, resumes }: Pick<OpenedOn, 'run' | 'journal' | 'resumes'>,
): Promise<readonly Finding[]> {
  const { hashes, findings } = await openImageHashes(run, resumes);
  try {
    for (const number of training)
      for (const [i, digest] of (summaries[number]?.digests ?? []).entries()) {
        const { id = '', images = [] } = cases[number] ?? {};
        const name = images.length > 1 ? `${id} (channel ${i + 1})` : id;
        hashes?.add(journal.nameOf({ id: name, path: images[i] ?? id }), digest);
      }
  } finally {
    hashes?.close();
  }
  return findings;
}

/** Makes room where prepared images of earlier runs have become many. */
async function pruneCache({ data }: FinetuneConfig, summaries: readonly PreparedSummary[]): Promise<Finding[]> {
  try {
    const { files, bytes } = await prunePrepared(data.cache, new Set(summaries.map(({ copy }) => copy)));
    if (files === 0) return [];
    const size = `${(bytes / 2 ** 30).toFixed(1)} GiB`;
    const message = `Removed the ${files} least recently used prepared images (${size}) from ${data.cache}.`;
    return [{ event: 'notice', message }];
  } catch (error) {
    return [{ event: 'notice', message: `${data.cache} cannot be cleaned up (${messageOf(error)}).` }];
  }
}

function openPatchLoader(config: FinetuneConfig, { cases, training, dataset }: RunCases, stepsPerEpoch: number) {
  const { data, train, plan, augment, labels, modality } = config;
  const patch = patchOf(config);
  const { spacing, channels } = plan;
  return new PatchLoader({
    ...{ cases, training, stepsPerEpoch, patch, augment, batch: train.batch, workers: data.workers },
    ...{ seed: train.seed, cache: data.cache, foreground: train.foreground },
    severalOf: labels === 'overlapping' ? dataset.labels.length : null,
    settings: {
      ...{ modality, channels },
      spacing: spacing?.length === 3 ? spacing : null,
      size: plan.fit === 'resize' ? patch : null,
      ...(data.volume !== null && { volume: data.volume }),
    },
  });
}

function patchOf({ plan }: FinetuneConfig): Size3 {
  const [first, second, third] = plan.patch;
  return third === undefined ? [1, first, second] : [first, second, third];
}

function windowsOf(config: FinetuneConfig, number: number, summary: PreparedSummary | undefined) {
  if (!summary) return [];
  const patch = patchOf(config);
  const whole = config.problem === 'segmentation' && config.train.validation.cases === 'whole';
  return whole ? coveringWindows(number, summary, patch) : [middleWindow(number, summary, patch)];
}

/** `500 steps in 2 epochs over 8 cases, validated on 2: 3D segmentation of 4 classes` */
function describe(config: FinetuneConfig, { training, validation, dataset }: RunCases, stepsPerEpoch: number): string {
  const { epochs } = config.train;
  const what = `${config.modality} ${config.problem} with ${dataset.labels.length} classes`;
  return `${what}, ${epochs * stepsPerEpoch} steps in ${epochs} epochs over ${training.length} cases, validated on ${validation.length}`;
}

function networkPlanOf(
  config: FinetuneConfig,
  { dataset }: RunCases,
  summaries: readonly PreparedSummary[],
): NetworkPlan {
  const { problem, modality, labels, plan, model } = config;
  return {
    ...{ format: 1, problem, modality, labels, preset: model.preset, stages: model.stages },
    classes: dataset.labels.map(({ name, values }) => ({ name, values: [...values] })),
    ignore: dataset.ignore,
    ...{ patch: plan.patch, fit: plan.fit, channels: plan.channels },
    spacing: plan.spacing?.length === 3 ? plan.spacing : null,
    tilt: summaries.reduce((most, { tilt }) => Math.max(most, tilt), 0),
  };
}

/** Writes the plan of the network at the beginning. @throws UnimissError 'data' where a resumed run's data set has other classes */
async function settlePlan(run: RunFolder, plan: NetworkPlan): Promise<void> {
  const before = await readNetworkPlan(run);
  if (!before) return writeNetworkPlan(run, plan);
  const names = ({ classes }: NetworkPlan) =>
    classes.map(({ name, values }) => `${name} (${values.join(', ')})`).join(', ');
  if (names(before) !== names(plan))
    throw new UnimissError('data', `has the classes ${names(plan)}, but the run began with ${names(before)}`, {
      place: 'data.path',
      remedy: 'Restore the data set, or start a new run.',
    });
}

/** Cases that a message lists. */
const listed = 10;

function unusable(failures: readonly PreparationFailure[], total: number): UnimissError {
  const [first] = failures;
  if (failures.length === 1 && first) return first.error;
  const lines = failures.slice(0, listed).map(({ error }) => `\n  ${error.message.replaceAll('\n', '\n  ')}`);
  const more = failures.length > listed ? `\n  and ${failures.length - listed} more` : '';
  return new UnimissError('data', `${failures.length} of ${total} cases cannot be used:${lines.join('')}${more}`, {
    place: 'data.path',
    images: failures.flatMap(({ id, error }) => [id, ...(error.details.images ?? [])]),
    remedy: 'Repair these files or remove the cases from the data set, and start again.',
  });
}

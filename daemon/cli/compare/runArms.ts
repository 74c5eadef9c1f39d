import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { tasksOf } from '../../../protocol/compare/experiment.ts';
import type { SharedConfig } from '../../../protocol/config/index.ts';
import type { PretrainConfig } from '../../../protocol/config/pretrain/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { listRuns, runState } from '../../runs/records/list.ts';
import { readAllRecords } from '../../runs/records/readRecords.ts';
import type { Reporter } from '../terminal/reporter.ts';
import { type Compute, matchCompute } from './compute.ts';
import { askingElse, type OpenedExperiment, plain } from './experimentFile.ts';
import { type FineTuning, fineTuningConfig, fineTunings } from './fineTunings.ts';
import { type ExperimentImages, measuredIn } from './images.ts';
import { linkLabelled, writeLabelSplit } from './labelledFolder.ts';
import { probeFeatures } from './probes.ts';
import type { ScoreLedger } from './scoreLedger.ts';
import { fineTunedScore } from './scores.ts';
import type { CompareSteps } from './steps.ts';

/** Folder of the features of a run on the test images. */
export function featuresFolder(out: string, name: string): string {
  return join(out, 'features', name);
}

/** The features of random weights of a seed, for the baseline. */
export const randomName = (seed: number) => `random-s${seed}`;

/** Folder of the evaluation of a fine-tuned run on the test images. */
export function evaluationFolder(out: string, name: string): string {
  return join(out, 'evaluations', name);
}

interface Around {
  readonly out: string;
  readonly ledger: ScoreLedger;
  /** Folder of runs. */
  readonly root: string;
  readonly steps: CompareSteps;
  readonly reporter: Reporter;
}

/** A run was stopped: the rest waits for the next call. */
class Stopped extends Error {}

/**
 * Trains what is not trained yet and measures what is not measured yet, seed by seed. Killed at any moment, it continues: a run is found
 * by its name, and features and evaluations appear under their name when they are complete. What the ledger has is done, on whichever
 * machine; a network whose fine-tunings are not all measured is trained again where its run is missing.
 * @returns undefined where a run was stopped: the rest waits for the next call
 */
export async function runArms(
  opened: OpenedExperiment,
  images: ExperimentImages,
  around: Around,
): Promise<{ readonly compute: Compute | undefined } | undefined> {
  try {
    return await runAll(opened, images, around);
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    throw error;
  }
}

async function runAll(opened: OpenedExperiment, images: ExperimentImages, around: Around) {
  const { runs, manifest, experiment } = opened;
  const { out, root, steps, reporter, ledger } = around;
  const measured = measuredIn(images);
  const tunings = fineTunings(experiment, measured);
  const probes = tasksOf(experiment).includes('probe');
  const all = runs.length + tunings.length;
  const names = new Map((await listRuns(root)).runs.toReversed().map(({ name, folder }) => [name, folder]));
  let done = 0;
  const trained = async (name: string, config: SharedConfig, what = `Run ${done + 1} of ${all}`): Promise<string> => {
    const known = names.get(name);
    if (known !== undefined) await requireSame(known, config);
    const folder = known ?? (await steps.create(config, root));
    names.set(name, folder);
    if ((await runState(await RunFolder.open(folder))) === 'finished') return folder;
    reporter.notice(`${what}: ${name}`);
    if ((await steps.train(folder)) === 'stopped') throw new Stopped();
    return folder;
  };
  const compute = await matchCompute(opened, out, async ({ name, config }) => {
    const run = await RunFolder.open(await trained(name, config, 'Timing steps'));
    return readAllRecords(run.recordsFile, (message) => reporter.notice(message));
  });
  const { features: kind = 'decoder', labels } = experiment;
  const isProbed = (arm: string, seed: number) =>
    measured.every((modality) => labels.every((n) => ledger.get({ task: 'probe', arm, modality, labels: n, seed })));
  /** Measures a network by its features, which are computed where they are missing. */
  const probe = async (arm: string, seed: number, from: ProbedFrom) => {
    if (isProbed(arm, seed)) return;
    const folder = featuresFolder(out, from.name);
    if (!existsSync(folder)) {
      const { weights, run } = from;
      const how = { manifest, weights, features: kind } as const;
      await appears(folder, async (place) => steps.embed(await run(), { ...how, out: place }));
    }
    await ledger.add(await probeFeatures(experiment, images, { arm, seed, folder }));
  };
  for (const seed of experiment.seeds) {
    const own = tunings.filter((tuning) => tuning.seed === seed);
    const missing = own.filter((tuning) => !ledger.get(tuning));
    const pretrained = new Map<string, string>();
    for (const run of runs.filter((run) => run.seed === seed)) {
      const folder = () => trained(run.name, withEpochs(run.config, compute?.[run.arm]?.epochs));
      // The first arm of each seed shows what its random weights know.
      if (probes && run.arm === Object.keys(experiment.arms)[0])
        await probe('random', seed, { name: randomName(seed), weights: 'initial', run: folder });
      if (probes) await probe(run.arm, seed, { name: run.name, weights: 'last', run: folder });
      if (missing.some(({ arm }) => arm === run.arm)) pretrained.set(run.arm, await folder());
      done++;
    }
    done += own.length - missing.length;
    for (const tuning of missing) {
      const evaluation = evaluationFolder(out, tuning.name);
      if (!existsSync(evaluation)) {
        const given = await labelledFor(tuning, opened, images, out);
        const from = pretrained.get(tuning.arm) ?? null;
        const config = fineTuningConfig(experiment, tuning, { ...given, from, place: `arms.${tuning.arm}` });
        const folder = await trained(tuning.name, config);
        const checkpoint = experiment.fineTuning?.checkpoint ?? 'last';
        await appears(evaluation, (place) => steps.evaluate(folder, checkpoint, place));
      }
      await ledger.add([await fineTunedScore(tuning, images.test[tuning.modality], evaluation)]);
      done++;
    }
  }
  return { compute };
}

/** Whose features are probed. */
interface ProbedFrom {
  /** Name of the folder of the features. */
  readonly name: string;
  readonly weights: 'initial' | 'last';
  /** Trains the run where it is not trained. @returns its folder */
  run(): Promise<string>;
}

function withEpochs(config: PretrainConfig, epochs: number | undefined): PretrainConfig {
  return epochs === undefined ? config : { ...config, train: { ...config.train, epochs } };
}

/** The data set and the split of a fine-tuning, in the folder of the results. */
async function labelledFor(
  { task, modality, labels, seed }: FineTuning,
  { experiment }: OpenedExperiment,
  { pool, test }: ExperimentImages,
  out: string,
) {
  const [own, tested] = [pool?.[modality] ?? [], test[modality]];
  const linked = await linkLabelled(join(out, 'labelled', modality), {
    ...{ pool: own, test: tested },
    maps: tasksOf(experiment).includes('segmentation'),
    structures: experiment.fineTuning?.structures[modality],
  });
  const validation = experiment.fineTuning?.validation ?? 1;
  const split = await writeLabelSplit(linked, own, { task, labels, validation, seed });
  return task === 'classification'
    ? ({ data: linked.table, layout: 'table', split } as const)
    : ({ data: linked.folder, layout: 'pairs', split } as const);
}

/** Makes a folder under another name first, so that what is there is complete. */
async function appears(folder: string, make: (place: string) => Promise<void>): Promise<void> {
  const place = `${folder}.part`;
  await rm(place, { recursive: true, force: true });
  await make(place);
  await rename(place, folder);
}

/** @throws UnimissError 'run' where a run of that name was made from another configuration */
async function requireSame(folder: string, config: SharedConfig): Promise<void> {
  const run = await RunFolder.open(folder);
  // The order of fields does not matter, nor undefined ones, which no file has.
  if (isDeepStrictEqual(plain(run.config), plain(config))) return;
  throw new UnimissError('run', 'was made from another configuration than the experiment gives it', {
    place: run.id,
    remedy: `Delete or rename that run. ${askingElse}`,
  });
}

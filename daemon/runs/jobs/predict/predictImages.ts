import { join } from 'node:path';
import { oneLineOf, UnimissError } from '../../../../protocol/errors.ts';
import type { Predicted, PredictResult, PredictTask } from '../../../../protocol/jobs/predictMessages.ts';
import { readCase, type StoredCase } from '../../../data/prepared/readCase.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';
import type { OnJobProgress } from '../job.ts';
import { checkImage, checkKind, UnlikeTraining } from './check.ts';
import { classStatistics } from './classStatistics.ts';
import { dicomPatient } from './dicomPatient.ts';
import { Finished } from './finished.ts';
import { WatchedLabels } from './growingLabels.ts';
import { type InputCase, imagesOfInput } from './inputs.ts';
import { classify, type SegmentTask, segment, settingsOf } from './labelImage.ts';
import { type OpenNetwork, type OpenNetworks, openNetworks } from './network.ts';
import type { NetworkSources } from './networkSource.ts';
import { type PosedImage, posed } from './posed.ts';
import { writePreview } from './preview.ts';
import { ProbabilityMaps } from './probabilityMaps.ts';
import { openResults, resultsError } from './results.ts';
import { writeTable } from './tables.ts';
import { type LabelMapsOfImage, writeLabels } from './writeLabels.ts';

/**
 * Predicts labels of images with a fine-tuned network, or an ensemble. Segmentation writes a label map a case, in the grid of its image; of
 * overlapping classes, a mask a class. Classification writes a table with probabilities. An image that fails does not stop the others.
 * What the folder has already, from the same checkpoint and settings, is skipped.
 * @param open opens the networks; a process that stays keeps them loaded (`LoadedNetworks`)
 * @throws UnimissError 'run', 'checkpoint', 'data' where there are no images, 'disk'
 */
export async function predictImages(
  sources: NetworkSources,
  task: PredictTask,
  onProgress: OnJobProgress,
  open: OpenNetworks = openNetworks,
): Promise<PredictResult> {
  const notices = sources.flatMap((source) => source.notices);
  const { cases, ignored } = await imagesOfInput(task.input, sources[0].plan, task.out);
  if (ignored !== undefined) notices.push(ignored);
  try {
    await openResults(task.out, cases);
    const began = performance.now();
    const network = await open(sources, task.checkpoint, (message) => notices.push(message));
    const loadSeconds = (performance.now() - began) / 1000;
    try {
      return { ...(await predictCases(network, cases, task, onProgress)), loadSeconds, notices };
    } finally {
      network.close();
    }
  } catch (error) {
    throw resultsError(error);
  }
}

async function predictCases(
  network: OpenNetwork,
  cases: readonly InputCase[],
  task: PredictTask,
  onProgress: OnJobProgress,
): Promise<Omit<PredictResult, 'notices' | 'loadSeconds'>> {
  const { plan, members } = network;
  const { overlap, mirror, statistics, preview, probabilities } = task;
  const finished = await Finished.open(task.out, {
    ...{ members, overlap, mirror, statistics, preview, probabilities },
    ...(task.volume !== null && { volume: task.volume }),
    largestComponent: plan.largestComponent,
  });
  try {
    return await predictRest(network, cases, finished, { task, onProgress });
  } finally {
    finished.close();
  }
}

/** Predicts the cases that are not finished. */
async function predictRest(
  network: OpenNetwork,
  cases: readonly InputCase[],
  finished: Finished,
  { task, onProgress }: { readonly task: PredictTask; readonly onProgress: OnJobProgress },
): Promise<Omit<PredictResult, 'notices' | 'loadSeconds'>> {
  const { plan, step } = network;
  const all: Predicted[] = [];
  const result = { step, predicted: [] as Predicted[], skipped: 0, failed: [] as PredictResult['failed'] };
  for (const [i, files] of cases.entries()) {
    const before = await finished.find(files.images, files.patient);
    onProgress(files.id, i, cases.length);
    if (before) {
      result.skipped++;
      all.push(before);
      continue;
    }
    try {
      const predicted = await predictCase(network, files, cases.length > 1 ? { ...task, growing: null } : task);
      await finished.add(files.images, predicted, files.patient);
      result.predicted.push(predicted);
      all.push(predicted);
    } catch (error) {
      if (!(error instanceof UnimissError) || error.code !== 'data') throw error;
      const image = files.images[0] ?? files.id;
      result.failed.push({ image, reason: oneLineOf(error, image), unlike: error instanceof UnlikeTraining });
    }
  }
  onProgress('Done', cases.length, cases.length);
  return { ...result, table: await writeTable(task.out, all, plan) };
}

async function predictCase(network: OpenNetwork, files: InputCase, task: PredictTask): Promise<Predicted> {
  const { plan } = network;
  const began = performance.now();
  const [image = ''] = files.images;
  const { stored, image: own, notices } = await prepareCase(network, files, task);
  const seconds = () => (performance.now() - began) / 1000;
  if (plan.problem === 'classification') {
    const probabilities = await classify(network, own.prepared);
    const patient = files.patient ?? (await dicomPatient(image));
    return { image, ...(patient !== undefined && { patient }), files: [], notices, probabilities, seconds: seconds() };
  }
  const base = join(task.out, files.id);
  const onNotice = (message: string) => notices.push(message);
  const { maps, probabilities } = await labelled(network, own, { stored, base, task, onNotice });
  const written = await writeLabels(base, maps, stored, plan);
  const seen = viewOf(maps, stored, plan);
  const preview = task.preview ? [await writePreview(`${base}.preview.png`, seen)] : [];
  return {
    image,
    files: [...written.files, ...preview, ...probabilities],
    notices: [...notices, ...written.notices],
    ...(task.statistics && { statistics: statisticsOf(seen, plan) }),
    seconds: seconds(),
  };
}

/**
 * Reads an image as the network takes it. Its stored values, half a GiB of a large CT, are kept only if they are measured or shown after
 * the network has run.
 */
async function prepareCase(network: OpenNetwork, files: InputCase, task: PredictTask) {
  const [image = ''] = files.images;
  const settings = settingsOf(network, task.volume);
  for (const path of files.images) await checkKind(path, network.plan, task.volume);
  const stored = await readCase(files, settings);
  const notices = [...stored.notices, ...checkImage(image, stored, network.plan, task.force)];
  const own = posed(stored, network.plan, settings, image);
  if (own.notice !== undefined) notices.push(own.notice);
  const kept: StoredCase = task.statistics || task.preview ? stored : { ...stored, channels: [] };
  return { stored: kept, image: own, notices };
}

interface LabelTask {
  readonly stored: StoredCase;
  /** Path of its files, without their endings. */
  readonly base: string;
  readonly task: PredictTask;
  onNotice(message: string): void;
}

/** Labels of an image, and the files with its probabilities where these are wanted. */
async function labelled(
  network: OpenNetwork,
  image: PosedImage,
  { stored, base, task, onNotice }: LabelTask,
): Promise<{ maps: LabelMapsOfImage; probabilities: string[] }> {
  // Slices of a turned image are none of its own grid.
  const file = image.turned ? null : task.growing;
  const growing = file === null ? undefined : await WatchedLabels.open(file, stored, network.plan, onNotice);
  const { overlap, mirror } = task;
  const options = { overlap, mirror, ...(growing && { onSlices: growing.add.bind(growing) }) };
  try {
    if (task.probabilities) return await withProbabilities(network, image, { stored, base, options });
    return { maps: await mapsOf(network, image, options), probabilities: [] };
  } finally {
    await growing?.close();
  }
}

async function withProbabilities(
  network: OpenNetwork,
  image: PosedImage,
  { stored, base, options }: { stored: StoredCase; base: string; options: SegmentTask },
): Promise<{ maps: LabelMapsOfImage; probabilities: string[] }> {
  const { classes, labels } = network.plan;
  const names = classes.map(({ name }) => name);
  const collected = await ProbabilityMaps.open(base, { stored, size: image.size, back: image.back }, names, labels);
  try {
    const onScores = (slice: number, scores: Float32Array) => collected.add(slice, scores);
    const maps = await mapsOf(network, image, { ...options, onScores });
    return { maps, probabilities: await collected.write() };
  } finally {
    await collected.close();
  }
}

/** Labels in the image's own grid. */
async function mapsOf(network: OpenNetwork, { prepared, size, back }: PosedImage, task: SegmentTask) {
  return (await segment(network, prepared, size, task)).map((map) => back(map));
}

/** An image with its labels, for what is measured and shown. */
function viewOf(maps: LabelMapsOfImage, { size, spacing, channels }: StoredCase, { labels }: NetworkPlan) {
  const [image = new Float32Array()] = channels;
  return { size, spacing, image, maps, exclusive: labels === 'exclusive' };
}

function statisticsOf(seen: ReturnType<typeof viewOf>, { classes }: NetworkPlan) {
  const names = classes.slice(seen.exclusive ? 1 : 0).map(({ name }) => name); // without the background
  return classStatistics({ ...seen, names, values: seen.image });
}

import { dirname, join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { encode } from 'fast-png';
import { messageOf, UnimissError } from '../../../../protocol/errors.ts';
import type { Predicted, PredictResult, PredictTask } from '../../../../protocol/jobs/predictMessages.ts';
import { writeInGrid } from '../../../data/formats/gridWriter.ts';
import { prepareImage } from '../../../data/prepared/prepareImage.ts';
import { readCase, type StoredCase } from '../../../data/prepared/readCase.ts';
import type { CaseFiles } from '../../../data/prepared/settings.ts';
import { diskError, writeAtomically, writeTextAtomically } from '../../../files/atomic.ts';
import { makeFolder } from '../../../files/folder.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';
import type { OnJobProgress } from '../job.ts';
import { differences } from './check.ts';
import { classStatistics } from './classStatistics.ts';
import { Finished } from './finished.ts';
import { imagesOfInput } from './inputs.ts';
import { classify, segment, settingsOf } from './labelImage.ts';
import { type OpenNetwork, openNetworks } from './network.ts';
import type { NetworkSources } from './networkSource.ts';

/**
 * Predicts labels of images with a fine-tuned network, or an ensemble. Segmentation writes a label map a case, in the grid of its image; of overlapping
 * classes, a mask a class. Classification writes a table with probabilities. An image that fails does not stop the others. What the
 * folder has already, from the same checkpoint and settings, is skipped.
 * @throws UnimissError 'run', 'checkpoint', 'data' where there are no images, 'disk'
 */
export async function predictImages(
  sources: NetworkSources,
  task: PredictTask,
  onProgress: OnJobProgress,
): Promise<PredictResult> {
  const notices = sources.flatMap((source) => source.notices);
  const network = await openNetworks(sources, task.checkpoint, (message) => notices.push(message));
  try {
    const { plan, step, members } = network;
    const cases = await imagesOfInput(task.input, plan);
    await makeFolder(task.out).catch((error) => {
      throw diskError(error, task.out);
    });
    const { overlap, mirror, statistics } = task;
    const finished = await Finished.open(task.out, { members, overlap, mirror, statistics });
    const all: Predicted[] = [];
    const result: PredictResult = { step, predicted: [], skipped: 0, failed: [], table: null, notices };
    for (const [i, files] of cases.entries()) {
      const before = await finished.find(files.images);
      onProgress(files.id, i, cases.length);
      if (before) {
        result.skipped++;
        all.push(before);
        continue;
      }
      try {
        const predicted = await predictCase(network, files, task);
        await finished.add(files.images, predicted);
        result.predicted.push(predicted);
        all.push(predicted);
      } catch (error) {
        if (!(error instanceof UnimissError) || error.code !== 'data') throw error;
        result.failed.push({ image: files.images[0] ?? files.id, reason: messageOf(error) });
      }
    }
    onProgress('Done', cases.length, cases.length);
    return { ...result, table: await writeTable(all, plan, task) };
  } finally {
    network.close();
  }
}

async function predictCase(network: OpenNetwork, files: CaseFiles, task: PredictTask): Promise<Predicted> {
  const { plan } = network;
  const began = performance.now();
  const [image = ''] = files.images;
  const settings = settingsOf(network);
  const stored = await readCase(files, settings);
  const prepared = prepareImage(stored, settings, image);
  const result: Predicted = {
    image,
    files: [],
    notices: [...stored.notices, ...differences(stored, plan)],
    seconds: 0,
  };
  const end = (more: Partial<Predicted>): Predicted => ({
    ...result,
    ...more,
    seconds: (performance.now() - began) / 1000,
  });
  if (plan.problem === 'classification') return end({ probabilities: await classify(network, prepared) });
  const maps = await segment(network, prepared, stored.size, task);
  return end({
    files: await writeLabels(join(task.out, files.id), maps, stored, plan),
    ...(task.statistics && { statistics: statisticsOf(maps, stored, plan) }),
  });
}

/** Writes label maps with the data set's own values. @returns the paths */
async function writeLabels(
  base: string,
  maps: readonly (Uint8Array | Uint16Array)[],
  stored: StoredCase,
  plan: NetworkPlan,
): Promise<string[]> {
  await makeFolder(dirname(base)).catch((error) => {
    throw diskError(error, dirname(base));
  });
  const ending = stored.grid ? 'nii.gz' : 'png';
  if (plan.labels === 'overlapping') {
    const paths: string[] = [];
    for (const [k, { name }] of plan.classes.entries()) {
      const path = `${base}.${name.replace(/[^\p{L}\p{N}_-]+/gu, '_')}.${ending}`;
      const there = stored.grid ? 1 : 255; // a mask that people can see
      await writeMap(
        path,
        Uint8Array.from(maps[k] ?? [], (value) => value * there),
        stored,
        new Map([[1, name]]),
      );
      paths.push(path);
    }
    return paths;
  }
  const values = plan.classes.map(({ values: [value = 0] }) => value);
  const [numbers] = maps;
  const wide = Math.max(...values) > 255;
  const labels = new (wide ? Uint16Array : Uint8Array)(numbers?.length ?? 0);
  numbers?.forEach((k, voxel) => {
    labels[voxel] = values[k]!;
  });
  const names = new Map(plan.classes.flatMap(({ name }, k) => (values[k] === 0 ? [] : [[values[k]!, name] as const])));
  const path = `${base}.${ending}`;
  await writeMap(path, labels, stored, names);
  return [path];
}

async function writeMap(
  path: string,
  data: Uint8Array | Uint16Array,
  { grid, size }: StoredCase,
  labelNames: ReadonlyMap<number, string>,
): Promise<void> {
  if (grid) return writeInGrid(path, { data, grid, labelNames }, 0o600);
  const depth = data instanceof Uint16Array ? 16 : 8;
  const png = encode({ width: size[2], height: size[1], data, channels: 1, depth });
  await writeAtomically(path, (handle) => handle.writeFile(png), { mode: 0o600 });
}

function statisticsOf(maps: readonly (Uint8Array | Uint16Array)[], stored: StoredCase, plan: NetworkPlan) {
  const [only] = maps;
  const first = plan.labels === 'exclusive' ? 1 : 0; // without the background
  return classStatistics({
    names: plan.classes.slice(first).map(({ name }) => name),
    ...{ size: stored.size, spacing: stored.spacing, values: stored.channels[0]! },
    has: plan.labels === 'exclusive' ? (voxel, k) => only![voxel] === k + 1 : (voxel, k) => maps[k]![voxel] === 1,
  });
}

/** The table of all images of the folder. @returns its path; null where there is nothing to tabulate */
async function writeTable(all: readonly Predicted[], plan: NetworkPlan, task: PredictTask): Promise<string | null> {
  if (all.length === 0) return null;
  if (plan.problem === 'classification') {
    const names = plan.classes.map(({ name }) => name);
    const rows = all.map(({ image, probabilities = {} }) => {
      const values = names.map((name) => probabilities[name] ?? Number.NaN);
      const chosen =
        plan.labels === 'exclusive'
          ? names[values.indexOf(Math.max(...values))]
          : names.filter((_, k) => values[k]! > 0.5).join(' ');
      return [image, chosen, ...values.map((value) => value.toPrecision(6))];
    });
    const file = join(task.out, 'predictions.csv');
    await writeTextAtomically(file, stringify([['path', 'predicted', ...names], ...rows]));
    return file;
  }
  if (!task.statistics) return null;
  const rows = all.flatMap(({ image, statistics = [] }) =>
    statistics.map((each) => [
      image,
      each.class,
      each.voxels,
      each.milliliters ?? '',
      each.mean ?? '',
      each.touchesBorder,
    ]),
  );
  const file = join(task.out, 'statistics.csv');
  await writeTextAtomically(file, stringify([['path', 'class', 'voxels', 'ml', 'mean', 'touchesBorder'], ...rows]));
  return file;
}

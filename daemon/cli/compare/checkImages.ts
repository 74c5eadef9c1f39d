import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { type Question, tasksOf } from '../../../protocol/compare/experiment.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { isInside } from '../../../protocol/insideFolder.ts';
import { readManifest } from '../../data/datasets/manifest.ts';
import type { OpenedExperiment } from './experimentFile.ts';
import { fineTunings } from './fineTunings.ts';
import { type ExperimentImages, measuredIn } from './images.ts';
import { drawLabels, labelMapOf } from './labelledFolder.ts';

/**
 * Refuses what only hours of training would find, while the experiment can still be changed: images that a question, the probe or a
 * fine-tuning lacks, and test images that an arm is trained on.
 * @param options `begun`: the experiment was fixed before; then training images may be missing, on a machine that only continues
 * @throws UnimissError 'data' that names the manifest or the image
 */
export async function checkImages(
  opened: OpenedExperiment,
  images: ExperimentImages,
  { begun }: { readonly begun: boolean },
): Promise<void> {
  const { primary, secondary } = opened.experiment;
  for (const [i, question] of [primary, ...secondary].entries())
    checkQuestion(question, i === 0 ? 'primary' : `secondary[${i - 1}]`, opened, images);
  if (tasksOf(opened.experiment).includes('probe')) checkProbe(opened, images);
  checkFineTunings(opened, images);
  const missing = trainedOn(opened).find((path) => !existsSync(path));
  if (missing !== undefined && !begun)
    throw new UnimissError('data', 'does not exist, but arms are trained on it', {
      place: missing,
      remedy: 'Correct `data` of the experiment.',
    });
  await checkApart(opened);
}

function checkQuestion(
  { modality }: Question,
  place: string,
  { manifest }: OpenedExperiment,
  { test }: ExperimentImages,
): void {
  if (test[modality].length > 0) return;
  throw new UnimissError('data', `has no ${modality} images, but \`${place}\` asks about them`, {
    place: manifest,
    remedy: `Add ${modality} images, or ask about others.`,
  });
}

function checkProbe({ experiment, manifest }: OpenedExperiment, images: ExperimentImages): void {
  const most = Math.max(...experiment.labels);
  for (const modality of measuredIn(images)) {
    const counts = new Map<string, number>();
    for (const { label } of images.test[modality]) counts.set(label, (counts.get(label) ?? 0) + 1);
    const refuse = (what: string, remedy: string) => new UnimissError('data', what, { place: manifest, remedy });
    if (counts.size < 2)
      throw refuse(`has one class of ${modality} images, which leaves nothing to tell apart`, 'Add another class.');
    const few = [...counts].find(([, count]) => count <= most);
    if (few)
      throw refuse(
        `has ${few[1]} ${modality} images of the class "${few[0]}", but with ${most} labels of each class the probe needs more, to test it`,
        'Add images, or ask for fewer `labels`.',
      );
  }
}

function checkFineTunings({ experiment }: OpenedExperiment, images: ExperimentImages): void {
  const { pool, test } = images;
  const maps = tasksOf(experiment).includes('segmentation');
  for (const { task, modality, labels, seed } of fineTunings(experiment, measuredIn(images))) {
    const own = pool?.[modality] ?? [];
    if (own.length === 0)
      throw new UnimissError('data', `has no ${modality} images to fine-tune on`, {
        place: 'fineTuning.manifest',
        remedy: `Add some, or take the ${modality} images out of \`test\`.`,
      });
    drawLabels(own, { labels, validation: experiment.fineTuning?.validation ?? 1, seed });
    const known = new Set(own.map(({ label }) => label));
    const unknown = test[modality].find(({ label }) => !known.has(label));
    if (task === 'classification' && unknown)
      throw new UnimissError('data', `has no ${modality} image of the class "${unknown.label}", which the test has`, {
        place: 'fineTuning.manifest',
        remedy: 'Add some, or take the class out of `test`.',
      });
    if (maps) for (const image of [...own, ...test[modality]]) labelMapOf(image);
  }
}

/** Test images must be new to every arm: neither they nor their patients may be trained or fine-tuned on. */
async function checkApart({ manifest, pool, runs }: OpenedExperiment): Promise<void> {
  const tested = await known(manifest);
  const refuse = (what: string, place: string) =>
    new UnimissError('data', `${what} is in the test as well, which must be new to all arms`, {
      place,
      remedy: `Take it out of one of the two. The test: ${manifest}`,
    });
  const manifests = runs.flatMap(({ config }) => config.data.manifest ?? []).filter((one) => existsSync(one));
  for (const other of new Set([...manifests, ...(pool === undefined ? [] : [pool])])) {
    const { paths, patients } = await known(other);
    const image = [...paths].find((path) => tested.paths.has(path));
    if (image !== undefined) throw refuse(`the image ${image}`, other);
    const patient = [...patients].find((one) => tested.patients.has(one));
    if (patient !== undefined) throw refuse(`the patient "${patient}"`, other);
  }
  for (const folder of new Set(runs.flatMap(({ config }) => config.data.paths ?? []))) {
    if (!existsSync(folder)) continue;
    const real = await realpath(folder);
    const image = [...tested.paths].find((path) => isInside(real, path));
    if (image !== undefined) throw refuse(`the image ${image}`, folder);
  }
}

/** Manifests and folders of the images that arms are pre-trained on. */
function trainedOn({ runs }: Pick<OpenedExperiment, 'runs'>): string[] {
  return runs.flatMap(({ config }) => config.data.manifest ?? config.data.paths ?? []);
}

/** The files and the patients of a manifest; images without a patient have none in common with others. */
async function known(manifest: string): Promise<{ readonly paths: Set<string>; readonly patients: Set<string> }> {
  const { entries } = await readManifest(manifest);
  const patients = entries.flatMap(({ patient }) => patient ?? []);
  return { paths: new Set(await Promise.all(entries.map(({ path }) => realpath(path)))), patients: new Set(patients) };
}

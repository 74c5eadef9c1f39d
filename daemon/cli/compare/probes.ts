import { basename } from 'node:path';
import { UnimissError } from '../../../protocol/errors.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { readImage } from '../../data/formats/image.ts';
import { VolumeReader } from '../../data/volumes.ts';
import { readFeatureTable } from '../../evaluate/features/featureTable.ts';
import { histogram, moments } from '../../evaluate/features/intensities.ts';
import type { LabelledFeatures } from '../../evaluate/features/knn.ts';
import { linearProbe } from '../../evaluate/features/linearProbe.ts';
import type { ArmScores } from './armScores.ts';
import type { OpenedExperiment } from './experimentFile.ts';
import { chanceOf, type ExperimentImages, type LabelledImage, patientsOf } from './images.ts';
import { imagesDigest, type Score } from './scoreLedger.ts';

/** Values of intensities that a histogram covers: HU, and grey values. */
const ranges = { '3D': [-1024, 600], '2D': [0, 256] } as const;

type Experiment = OpenedExperiment['experiment'];

/** What is probed of a network: an arm (or `random`) with a seed. */
interface Probed {
  readonly arm: string;
  readonly seed: number;
  /** Folder of its features of the test images. */
  readonly folder: string;
}

/** Measures a network by linear probes; the same labels are drawn for all. */
export async function probeFeatures(
  { labels, draws }: Experiment,
  { test }: ExperimentImages,
  { arm, seed, folder }: Probed,
): Promise<Score[]> {
  const scores: Score[] = [];
  for (const modality of modalities) {
    const images = test[modality];
    if (images.length === 0) continue;
    const features = await readFeatures(folder, modality, images);
    for (const perClass of labels) {
      const found = linearProbe(features, { perClass, draws, patients: patientsOf(images) });
      const { accuracy, perImage } = found;
      const key = { task: 'probe', arm, modality, labels: perClass, seed } as const;
      scores.push({ ...key, images: imagesDigest(images), accuracy, perImage });
    }
  }
  return scores;
}

/** The baselines that have no seed: intensities, probed with the same labels. */
export async function probeIntensities(
  { seeds, labels, draws }: Experiment,
  { test }: ExperimentImages,
): Promise<ArmScores[]> {
  const scores: ArmScores[] = [];
  for (const modality of modalities) {
    const images = test[modality];
    if (images.length === 0) continue;
    const patients = patientsOf(images);
    for (const [arm, features] of Object.entries(await intensities(images, modality)))
      for (const perClass of labels) {
        const { accuracy, perImage } = linearProbe(features, { perClass, draws, patients });
        scores.push({
          ...{ task: 'probe', arm, modality, labels: perClass, seeds, patients, chance: chanceOf(images) },
          ...{ accuracies: seeds.map(() => accuracy), perImage: seeds.map(() => perImage) },
        });
      }
  }
  return scores;
}

/** Features that a run has of the test images. @throws UnimissError 'data' where they are of other images */
async function readFeatures(
  folder: string,
  modality: Modality,
  images: readonly LabelledImage[],
): Promise<LabelledFeatures> {
  const { file, features, featureLength, rows } = await readFeatureTable(folder, modality);
  const same = (path: string, i: number) => images[i] !== undefined && basename(path) === basename(images[i].path);
  if (rows.length !== images.length || !rows.every(({ path }, i) => same(path, i)))
    throw new UnimissError('data', 'the features are of other images than the test has', {
      place: file,
      remedy: 'Restore the test images, or delete this folder: the features are then computed again.',
    });
  return { features, featureLength, labels: classesOf(images) };
}

function classesOf(images: readonly LabelledImage[]): number[] {
  const names = [...new Set(images.map(({ label }) => label))].sort();
  return images.map(({ label }) => names.indexOf(label));
}

async function intensities(
  samples: readonly LabelledImage[],
  modality: Modality,
): Promise<Record<'histogram' | 'moments', LabelledFeatures>> {
  const volumes = new VolumeReader(false);
  const found: { histogram: number[]; moments: number[] } = { histogram: [], moments: [] };
  for (const { path } of samples) {
    const { data } = modality === '2D' ? await readImage(path) : await volumes.read(path, () => undefined);
    found.histogram.push(...histogram(data, ranges[modality]));
    found.moments.push(...moments(data));
  }
  const labels = classesOf(samples);
  const of = (values: number[]) => ({
    ...{ features: Float32Array.from(values), featureLength: values.length / samples.length, labels },
  });
  return { histogram: of(found.histogram), moments: of(found.moments) };
}

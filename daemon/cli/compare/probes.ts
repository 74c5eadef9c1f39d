import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { baselines } from '../../../protocol/compare/experiment.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { readImage } from '../../data/formats/image.ts';
import { VolumeReader } from '../../data/volumes.ts';
import { histogram, moments } from '../../evaluate/features/intensities.ts';
import type { LabelledFeatures } from '../../evaluate/features/knn.ts';
import { linearProbe } from '../../evaluate/features/linearProbe.ts';
import { decodeNpy } from '../../evaluate/features/npy.ts';
import type { ArmScores } from './armScores.ts';
import type { OpenedExperiment } from './experimentFile.ts';
import { chanceOf, type ExperimentImages, type LabelledImage, patientsOf } from './images.ts';
import { featuresFolder, randomName } from './runArms.ts';

/** Values of intensities that a histogram covers: HU, and grey values. */
const ranges = { '3D': [-1024, 600], '2D': [0, 256] } as const;

/** Measures all arms and baselines by linear probes; the same labels are drawn for all. */
export async function probeArms(
  { experiment, runs }: OpenedExperiment,
  { test }: ExperimentImages,
  out: string,
): Promise<ArmScores[]> {
  const { seeds, labels, draws, arms } = experiment;
  const scores: ArmScores[] = [];
  for (const modality of modalities) {
    const images = test[modality];
    if (images.length === 0) continue;
    const patients = patientsOf(images);
    const add = async (arm: string, featuresOf: (seed: number) => Promise<LabelledFeatures>) => {
      const features = await Promise.all(seeds.map(featuresOf));
      for (const perClass of labels) {
        const probes = features.map((own) => linearProbe(own, { perClass, draws, patients }));
        scores.push({
          ...{ task: 'probe', arm, modality, labels: perClass, seeds, patients },
          chance: chanceOf(images),
          accuracies: probes.map(({ accuracy }) => accuracy),
          perImage: probes.map(({ perImage }) => perImage),
        });
      }
    };
    const read = (name: string) => readFeatures(featuresFolder(out, name), modality, images);
    for (const arm of Object.keys(arms)) {
      const named = new Map(runs.filter((run) => run.arm === arm).map((run) => [run.seed, run.name]));
      await add(arm, (seed) => read(named.get(seed) ?? ''));
    }
    await add('random', (seed) => read(randomName(seed)));
    const ofIntensities = await intensities(images, modality);
    for (const baseline of baselines)
      if (baseline !== 'random') await add(baseline, async () => ofIntensities[baseline]);
  }
  return scores;
}

/** Features that a run has of the test images. @throws UnimissError 'data' where they are of other images */
async function readFeatures(
  folder: string,
  modality: Modality,
  images: readonly LabelledImage[],
): Promise<LabelledFeatures> {
  const file = join(folder, `features-${modality}.npy`);
  const { values, columns } = decodeNpy(await readFile(file), file);
  const table: { path: string }[] = parse(await readFile(join(folder, `features-${modality}.csv`)), { columns: true });
  const same = (path: string, i: number) => images[i] !== undefined && basename(path) === basename(images[i].path);
  if (table.length !== images.length || !table.every(({ path }, i) => same(path, i)))
    throw new UnimissError('data', 'the features are of other images than the test has', {
      place: file,
      remedy: 'Restore the test images, or delete this folder: the features are then computed again.',
    });
  return { features: values, featureLength: columns, labels: classesOf(images) };
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

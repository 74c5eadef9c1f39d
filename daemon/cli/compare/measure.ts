import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { baselines } from '../../../protocol/compare/experiment.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { openDataset, type Sample } from '../../data/datasets/unlabelled.ts';
import { readImage } from '../../data/formats/image.ts';
import { VolumeReader } from '../../data/volumes.ts';
import { histogram, moments } from '../../evaluate/features/intensities.ts';
import type { LabelledFeatures } from '../../evaluate/features/knn.ts';
import { linearProbe } from '../../evaluate/features/linearProbe.ts';
import { decodeNpy } from '../../evaluate/features/npy.ts';
import type { OpenedExperiment } from './experimentFile.ts';
import { featuresFolder, randomName } from './runArms.ts';

/** Scores of an arm or a baseline: share of correct answers for each test image, over the draws of labels. */
export interface ArmScores {
  readonly arm: string;
  readonly modality: Modality;
  readonly labels: number;
  readonly seeds: readonly number[];
  /** Accuracy of each seed, mean over draws. */
  readonly accuracies: readonly number[];
  /** [seeds][images] */
  readonly perImage: readonly (readonly (number | null)[])[];
}

/** Values of intensities that a histogram covers: HU, and grey values. */
const ranges = { '3D': [-1024, 600], '2D': [0, 256] } as const;

/** Measures all arms and baselines by linear probes; the same labels are drawn for all. */
export async function measureArms({ experiment, manifest, runs }: OpenedExperiment, out: string): Promise<ArmScores[]> {
  const dataset = await openDataset({ manifest, maxBroken: 0 });
  const { seeds, labels, draws, arms } = experiment;
  const scores: ArmScores[] = [];
  for (const modality of modalities) {
    const samples = dataset.samples(modality);
    if (samples.length === 0) continue;
    const add = async (arm: string, featuresOf: (seed: number) => Promise<LabelledFeatures>) => {
      const features = await Promise.all(seeds.map(featuresOf));
      for (const perClass of labels) {
        const probes = features.map((own) => linearProbe(own, { perClass, draws }));
        scores.push({
          ...{ arm, modality, labels: perClass, seeds },
          accuracies: probes.map(({ accuracy }) => accuracy),
          perImage: probes.map(({ perImage }) => perImage),
        });
      }
    };
    for (const arm of Object.keys(arms)) {
      const named = new Map(runs.filter((run) => run.arm === arm).map((run) => [run.seed, run.name]));
      await add(arm, (seed) => readFeatures(featuresFolder(out, named.get(seed) ?? ''), modality));
    }
    await add('random', (seed) => readFeatures(featuresFolder(out, randomName(seed)), modality));
    const ofIntensities = await intensities(samples, modality);
    for (const baseline of baselines)
      if (baseline !== 'random') await add(baseline, async () => ofIntensities[baseline]);
  }
  return scores;
}

/** Features that a run has of the test images, in the order of their table. @throws UnimissError 'data' for an image without label */
async function readFeatures(folder: string, modality: Modality): Promise<LabelledFeatures> {
  const file = join(folder, `features-${modality}.npy`);
  const { values, columns } = decodeNpy(await readFile(file), file);
  const table: { label: string; path: string }[] = parse(await readFile(join(folder, `features-${modality}.csv`)), {
    columns: true,
  });
  return { features: values, featureLength: columns, labels: numbered(table) };
}

function numbered(rows: readonly { label?: string | undefined; path: string }[]): number[] {
  const names = [...new Set(rows.map(({ label }) => label))].sort();
  const missing = rows.find(({ label }) => label === undefined || label === '');
  if (missing)
    throw new UnimissError('data', 'a test image has no label', {
      place: missing.path,
      remedy: 'Give all test images a label.',
    });
  return rows.map(({ label }) => names.indexOf(label));
}

async function intensities(
  samples: readonly Sample[],
  modality: Modality,
): Promise<Record<'histogram' | 'moments', LabelledFeatures>> {
  const volumes = new VolumeReader(false);
  const found: { histogram: number[]; moments: number[] } = { histogram: [], moments: [] };
  for (const { path } of samples) {
    const { data } = modality === '2D' ? await readImage(path) : await volumes.read(path, () => undefined);
    found.histogram.push(...histogram(data, ranges[modality]));
    found.moments.push(...moments(data));
  }
  const labels = numbered(samples);
  const of = (values: number[]) => ({
    ...{ features: Float32Array.from(values), featureLength: values.length / samples.length, labels },
  });
  return { histogram: of(found.histogram), moments: of(found.moments) };
}

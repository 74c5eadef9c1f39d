import { UnimissError } from '../../../protocol/errors.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { type ManifestEntry, readManifest } from '../../data/datasets/manifest.ts';
import { openDataset } from '../../data/datasets/unlabelled.ts';
import type { OpenedExperiment } from './experimentFile.ts';

/** An image of an experiment whose class is known. */
export interface LabelledImage extends ManifestEntry {
  readonly label: string;
}

type ByModality = Readonly<Record<Modality, readonly LabelledImage[]>>;

/** The labelled images of an experiment. */
export interface ExperimentImages {
  readonly test: ByModality;
  /** Images for fine-tuning; undefined where nothing is fine-tuned. */
  readonly pool: ByModality | undefined;
}

/** @throws UnimissError 'data' for an image without label, or a broken one */
export async function readImages({ manifest, pool }: OpenedExperiment): Promise<ExperimentImages> {
  return { test: await readLabelled(manifest), pool: pool === undefined ? undefined : await readLabelled(pool) };
}

/** The kinds of images that the test has: the arms are measured on these. */
export function measuredIn({ test }: Pick<ExperimentImages, 'test'>): Modality[] {
  return modalities.filter((modality) => test[modality].length > 0);
}

/** Who images are of: an image is its own patient where the manifest does not say. */
export function patientsOf(images: readonly LabelledImage[]): string[] {
  return images.map(({ path, patient }) => patient ?? path);
}

/** Share of right answers of who guesses. */
export function chanceOf(images: readonly LabelledImage[]): number {
  return 1 / new Set(images.map(({ label }) => label)).size;
}

/** The images of a manifest by modality, in its order. */
async function readLabelled(manifest: string): Promise<ByModality> {
  const { entries } = await readManifest(manifest, { segmentations: true });
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const dataset = await openDataset({ manifest, maxBroken: 0 });
  const of = (modality: Modality) =>
    dataset.samples(modality).map(({ path }): LabelledImage => {
      const entry = byPath.get(path);
      const label = entry?.label;
      if (!entry || label === undefined)
        throw new UnimissError('data', 'an image has no label', {
          place: path,
          remedy: `Give all images of ${manifest} a label.`,
        });
      return { ...entry, label };
    });
  return { '2D': of('2D'), '3D': of('3D') };
}

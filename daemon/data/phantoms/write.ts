import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { UnimissError } from '../../../protocol/errors.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import { type Condition, conditions } from './anatomy.ts';
import type { PhantomSize, PhantomTask } from './draw.ts';
import { projectionTissues } from './projection.ts';
import { drawPhantoms } from './threads.ts';
import { tissues } from './volume.ts';

/** Raise it whenever the same seed produces different images, so that old ones are not reused. */
export const phantomDrawing = 3;

export interface PhantomOptions {
  readonly seed: number;
  /** Numbers of volumes and 2D images; the conditions alternate. */
  readonly volumes: number;
  readonly images: number;
  /**
   * The conditions that volumes (3D) or images (2D) have; default: all. With fewer in one modality, the other has what this one
   * lacks.
   */
  readonly conditions?: Partial<Record<Modality, readonly Condition[]>>;
  /**
   * Slices of a volume, default 24; its in-plane height and width, default 176, exactly what views of 16×64×64 need without
   * padding; height and width of a 2D image, default 192.
   */
  readonly size?: Partial<PhantomSize>;
  /** Threads that draw; default: as many as the machine runs at once. They do not change the images. */
  readonly threads?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface WrittenPhantoms {
  /** `manifest.csv`: path, label, segmentation (a label map). */
  readonly manifest: string;
  /** Tables of path and label for classification, of each modality. */
  readonly tables: Readonly<Record<Modality, string>>;
  readonly conditions: readonly Condition[];
}

/** Sizes as commands and experiments name them; what is undefined has its default. */
export function sizeOf(given: {
  slices?: number | undefined;
  plane?: number | undefined;
  pixels?: number | undefined;
}) {
  const { slices, plane, pixels } = given;
  return {
    ...(slices !== undefined && { slices }),
    ...(plane !== undefined && { plane }),
    ...(pixels !== undefined && { image: pixels }),
  } satisfies PhantomOptions['size'];
}

const sizes: PhantomSize = { slices: 24, plane: 176, image: 192 };
/** Where a modality's images and label maps lie, and the ending of their names. */
const places = {
  '3D': { images: 'volumes', labels: 'segmentations', ending: '.nii.gz' },
  '2D': { images: 'images', labels: 'masks', ending: '.png' },
} as const;

/**
 * Writes phantoms into a folder: `volumes/*.nii.gz` (Int16, near 3×1×1 mm) with label maps `segmentations/*.nii.gz` (`tissues` in
 * volume.ts), `images/*.png` (8-bit grey) with label maps `masks/*.png` (`projectionTissues` in projection.ts), and, last,
 * `manifest.csv`. The same seed produces the same images.
 *
 * For training, use the manifest, since the folder also contains the label maps. For fine-tuning, the folder is a labelled data
 * set of volumes in the layout `decathlon` (dataset.json) and of images in the layout `pairs` (labels.json); `volumes.csv` and
 * `images.csv` are tables with the conditions.
 */
export async function writePhantoms(dir: string, options: PhantomOptions): Promise<WrittenPhantoms> {
  const { seed, volumes, images, onProgress, threads = availableParallelism() } = options;
  const size = { ...sizes, ...options.size };
  const counts: Record<Modality, number> = { '3D': volumes, '2D': images };
  if (
    ![volumes, images].every((n) => Number.isInteger(n) && n >= 0) ||
    Math.min(size.slices, size.plane, size.image) < 8
  ) {
    throw new UnimissError(
      'config',
      `cannot make ${volumes} volumes and ${images} images of ${size.slices}×${size.plane}×${size.plane} and ${size.image}×${size.image}`,
    );
  }
  const tasks = [...modalities].reverse().flatMap((modality) => {
    const own = options.conditions?.[modality] ?? conditions;
    if (own.length === 0) throw new UnimissError('config', `cannot make ${modality} phantoms of no condition`);
    return Array.from(
      { length: counts[modality] },
      (_, number): PhantomTask => ({ seed, modality, number, condition: own[number % own.length]!, size }),
    );
  });
  for (const { images, labels } of Object.values(places))
    for (const folder of [images, labels]) await makeFolder(join(dir, folder));
  let done = 0;
  await drawPhantoms(tasks, threads, async (task, files) => {
    const { image, labels } = pathsOf(task);
    await writeFile(join(dir, image), files.image);
    await writeFile(join(dir, labels), files.labels);
    onProgress?.(++done, tasks.length);
  });
  const table = async (name: string, header: string, rows: readonly string[]) => {
    await writeTextAtomically(join(dir, name), `${[header, ...rows].join('\n')}\n`);
    return join(dir, name);
  };
  const classes = (modality: Modality) =>
    tasks.flatMap((task) => (task.modality === modality ? `${pathsOf(task).image},${task.condition}` : []));
  const tables = {
    '3D': await table('volumes.csv', 'path,label', classes('3D')),
    '2D': await table('images.csv', 'path,label', classes('2D')),
  };
  await writeTextAtomically(join(dir, 'labels.json'), JSON.stringify(projectionTissues));
  await writeTextAtomically(join(dir, 'dataset.json'), JSON.stringify(decathlon(tasks)));
  const rows = tasks.map((task) => {
    const { image, labels } = pathsOf(task);
    return `${image},${task.condition},${labels}`;
  });
  const manifest = await table('manifest.csv', 'path,label,segmentation', rows);
  return { manifest, tables, conditions };
}

function pathsOf({ modality, number }: PhantomTask): { image: string; labels: string } {
  const { images, labels, ending } = places[modality];
  const name = `${String(number + 1).padStart(4, '0')}${ending}`;
  return { image: `${images}/${name}`, labels: `${labels}/${name}` };
}

/** The description of the volumes in the layout of the Medical Segmentation Decathlon. */
function decathlon(tasks: readonly PhantomTask[]) {
  return {
    name: 'Phantoms',
    modality: { 0: 'CT' },
    labels: Object.fromEntries(Object.entries(tissues).map(([name, value]) => [value, name])),
    training: tasks.flatMap((task) => {
      const { image, labels } = pathsOf(task);
      return task.modality === '3D' ? [{ image, label: labels }] : [];
    }),
    test: [],
  };
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { compressNifti } from '../../daemon/data/formats/niftiWriter.ts';
import { conditions, drawPatient } from '../../daemon/data/phantoms/anatomy.ts';
import { phantomVolume, tissues } from '../../daemon/data/phantoms/volume.ts';

/** Labelled data sets of made-up patients, for each of the four problems. */

const [slices, plane] = [18, 72];

function phantom(n: number) {
  const condition = conditions[n % conditions.length]!;
  const key = ['labelled', n] as const;
  const { volume, segmentation } = phantomVolume(drawPatient(condition, ...key), slices, plane, ...key);
  return { condition, volume, segmentation };
}

const named = (n: number) => `case${String(n).padStart(2, '0')}`;

function json(file: string, value: unknown): void {
  writeFileSync(file, JSON.stringify(value, null, 1));
}

/** nnU-Net's layout: the tissues of volumes. */
export async function volumesWithMasks(folder: string, count: number): Promise<string> {
  for (const name of ['imagesTr', 'labelsTr']) mkdirSync(join(folder, name), { recursive: true });
  for (let n = 0; n < count; n++) {
    const { volume, segmentation } = phantom(n);
    writeFileSync(join(folder, 'imagesTr', `${named(n)}_0000.nii.gz`), await compressNifti(volume));
    writeFileSync(
      join(folder, 'labelsTr', `${named(n)}.nii.gz`),
      await compressNifti({ ...volume, data: segmentation }),
    );
  }
  json(join(folder, 'dataset.json'), {
    channel_names: { 0: 'CT' },
    labels: tissues,
    numTraining: count,
    file_ending: '.nii.gz',
  });
  return folder;
}

/** A table: the conditions of volumes. */
export async function volumesWithClasses(folder: string, count: number): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const lines = ['path,label'];
  for (let n = 0; n < count; n++) {
    const { volume, condition } = phantom(n);
    writeFileSync(join(folder, `${named(n)}.nii.gz`), await compressNifti(volume));
    lines.push(`${named(n)}.nii.gz,${condition}`);
  }
  const table = join(folder, 'cases.csv');
  writeFileSync(table, `${lines.join('\n')}\n`);
  return table;
}

/** The middle slice of a volume as a picture, from −1000 to 600 HU, and the mask of some tissues in it. */
function slice(n: number) {
  const { volume, segmentation, condition } = phantom(n);
  const from = (slices >> 1) * plane * plane;
  const grey = Uint8Array.from({ length: plane * plane }, (_, i) =>
    Math.min(255, Math.max(0, ((volume.data[from + i]! + 1000) / 1600) * 255)),
  );
  const png = (data: Uint8Array) => encode({ width: plane, height: plane, data, depth: 8, channels: 1 });
  const mask = (...labels: number[]) =>
    png(Uint8Array.from({ length: plane * plane }, (_, i) => (labels.includes(segmentation[from + i]!) ? 255 : 0)));
  return { condition, image: png(grey), mask };
}

/** Pairs of folders: overlapping masks of pictures. */
export function picturesWithMasks(folder: string, count: number): string {
  const folders = ['images', 'masks/body', 'masks/lungs'];
  for (const name of folders) mkdirSync(join(folder, name), { recursive: true });
  const { body: _, background: __, ...inside } = tissues;
  for (let n = 0; n < count; n++) {
    const { image, mask } = slice(n);
    writeFileSync(join(folder, 'images', `${named(n)}.png`), image);
    writeFileSync(join(folder, 'masks/body', `${named(n)}.png`), mask(tissues.body, ...Object.values(inside)));
    writeFileSync(join(folder, 'masks/lungs', `${named(n)}.png`), mask(tissues.rightLung, tissues.leftLung));
  }
  return folder;
}

/** Folders by class: the conditions of pictures. */
export function picturesWithClasses(folder: string, count: number): string {
  for (let n = 0; n < count; n++) {
    const { image, condition } = slice(n);
    mkdirSync(join(folder, condition), { recursive: true });
    writeFileSync(join(folder, condition, `${named(n)}.png`), image);
  }
  return folder;
}

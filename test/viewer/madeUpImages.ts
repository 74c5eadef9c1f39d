import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type NiftiFixture, niftiFixture } from '../../daemon/data/formats/nifti.fixture.ts';

/** Names that would do harm if they became markup. */
export const hostile = `<img src=x onerror="document.title='harmed'">`;
export const size = [64, 56, 24] as const;
export const sform = [
  [-2, 0, 0, 64],
  [0, 2, 0, -56],
  [0, 0, -4, 48],
];
/** Values by a function of i, j, k, i fastest. */
export function voxels(value: (i: number, j: number, k: number) => number): number[] {
  const all: number[] = [];
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++) for (let i = 0; i < size[0]; i++) all.push(value(i, j, k));
  return all;
}

type Voxel = readonly [i: number, j: number, k: number];

/** Whether a voxel lies in an ellipsoid around (`at`, 28, 12). */
const inside = ([i, j, k]: Voxel, at: number, radius: number, height: number) =>
  ((i - at) / radius) ** 2 + ((j - 28) / (radius * 1.2)) ** 2 + ((k - 12) / height) ** 2 < 1;

/** Writes an image of a body with two organs, labels and a prediction that errs most at slice k = 17, with a `dataset.json`. */
export function writeCase(folder: string, name = 'case'): { image: string; reference: string; prediction: string } {
  const write = (path: string, spec: Omit<NiftiFixture, 'size'>) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, gzipSync(niftiFixture({ size, sform, pixdim: [2, 2, 4], ...spec })));
    return file;
  };
  const organ = (i: number, j: number, k: number) =>
    inside([i, j, k], 20, 9, 8) ? 1 : inside([i, j, k], 44, 8, 7) ? 2 : 0;
  const image = write(`imagesTr/${name}_0000.nii.gz`, {
    type: 4,
    values: voxels((i, j, k) => {
      const body = ((i - 32) / 28) ** 2 + ((j - 28) / 24) ** 2 < 1;
      const noise = ((i * 7919 + j * 104729 + k * 1299709) % 61) - 30;
      return (body ? (organ(i, j, k) ? 90 : 20) : -990) + noise;
    }),
  });
  const reference = write(`labelsTr/${name}.nii.gz`, { type: 2, values: voxels(organ) });
  const prediction = write(`predictionsTr/${name}.nii.gz`, {
    type: 2,
    values: voxels((i, j, k) =>
      k === 17 && i > 30 && i < 50 && j > 20 && j < 40 ? 1 : organ(i - (k > 14 ? 2 : 1), j, k),
    ),
  });
  writeFileSync(join(folder, 'dataset.json'), JSON.stringify({ labels: { background: 0, [hostile]: 1, lung: 2 } }));
  return { image, reference, prediction };
}

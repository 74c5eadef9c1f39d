import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dicomFixture } from '../../daemon/data/formats/dicom/dicom.fixture.ts';
import { compressNifti, encodeNifti } from '../../daemon/data/formats/niftiWriter.ts';
import { drawPatient } from '../../daemon/data/phantoms/anatomy.ts';
import { phantomVolume, tissues } from '../../daemon/data/phantoms/volume.ts';
import { writePhantoms } from '../../daemon/data/phantoms/write.ts';

/** Enough voxels to look like a patient, few enough for a second. */
const [slices, plane] = [40, 128];
const key = ['a patient to look at'] as const;
/** What the made-up network gets wrong: it sees these where they lie a little further to the patient's left. */
const mistaken: readonly number[] = [tissues.heart, tissues.aorta, tissues.lesion];
/** To the left and to the back, voxels. */
const shift = [5, 3] as const;

/**
 * Files of one made-up patient, in a folder: `imagesTr/patient_0000.nii.gz` with its `labelsTr` and `predictionsTr`, the image alone as
 * `ct.nii.gz`, a map of the probability of the heart, three volumes after a contrast agent in one file, a DICOM series, and
 * an X-ray with its labels.
 */
export async function writePatient(folder: string) {
  const { volume, segmentation } = phantomVolume(drawPatient('nodules', ...key), slices, plane, ...key);
  const inside = (...names: string[]) => join(folder, ...names);
  for (const name of ['set/imagesTr', 'set/labelsTr', 'set/predictionsTr', 'series'])
    mkdirSync(inside(name), { recursive: true });
  const files = {
    image: inside('set/imagesTr/patient_0000.nii.gz'),
    labels: inside('set/labelsTr/patient.nii.gz'),
    prediction: inside('set/predictionsTr/patient.nii.gz'),
    ct: inside('ct.nii.gz'),
    heart: inside('heart-probability.nii.gz'),
    contrast: inside('contrast.nii'),
    series: inside('series'),
    xray: inside('xray/images/0001.png'),
  };
  const data = volume.data as Int16Array;
  const image = await compressNifti(volume);
  for (const file of [files.image, files.ct]) writeFileSync(file, image);
  writeFileSync(files.labels, await compressNifti({ ...volume, data: segmentation }));
  writeFileSync(files.prediction, await compressNifti({ ...volume, data: predicted(segmentation) }));
  writeFileSync(files.heart, await compressNifti({ ...volume, data: nearHeart(segmentation) }));
  writeFileSync(inside('set/dataset.json'), JSON.stringify({ labels: tissues }));
  writeFileSync(
    files.contrast,
    several(
      [0, 150, 70].map((hu) => brighter(data, segmentation, hu)),
      volume,
    ),
  );
  writeSeries(files.series, data, volume.spacing);
  await writePhantoms(inside('xray'), { seed: 1, volumes: 0, images: 1 });
  return files;
}

/** The labels of one who mistakes some organs. */
function predicted(labels: Uint8Array): Uint8Array {
  const [left, back] = shift;
  return labels.map((here, i) => {
    const there = labels[i - back * plane - left] ?? 0;
    return mistaken.includes(there) ? there : mistaken.includes(here) ? tissues.body : here;
  });
}

/** 1 in the middle of the heart, less further off. */
function nearHeart(labels: Uint8Array): Float32Array {
  const places = [...labels.keys()].filter((i) => labels[i] === tissues.heart).map(placeOf);
  const middle = [0, 1, 2].map((axis) => places.reduce((sum, place) => sum + place[axis]!, 0) / places.length);
  return Float32Array.from(labels, (_, i) => {
    const [s, x, y] = placeOf(i).map((part, axis) => part - middle[axis]!) as [number, number, number];
    return Math.exp(-((s / 9) ** 2 + (x / 16) ** 2 + (y / 16) ** 2));
  });
}

function placeOf(i: number): [slice: number, x: number, y: number] {
  return [Math.floor(i / plane ** 2), Math.floor(i / plane) % plane, i % plane];
}

/** The image with `hu` more in heart and aorta. */
function brighter(data: Int16Array, labels: Uint8Array, hu: number): Int16Array {
  return data.map((value, i) => (labels[i] === tissues.heart || labels[i] === tissues.aorta ? value + hu : value));
}

/** Volumes of one grid in one NIfTI file. */
function several(
  volumes: readonly Int16Array[],
  { shape, spacing }: Pick<Parameters<typeof encodeNifti>[0], 'shape' | 'spacing'>,
): Buffer {
  const [first, ...others] = volumes.map((data) => encodeNifti({ shape, spacing, data }));
  first!.writeInt16LE(4, 40); // dimensions
  first!.writeInt16LE(volumes.length, 48);
  return Buffer.concat([first!, ...others.map((one) => one.subarray(352))]);
}

/** One file for each slice, from head to feet, in names without an ending. */
function writeSeries(folder: string, data: Int16Array, [mm, x, y]: readonly [number, number, number]): void {
  const corner = [(-(plane - 1) * y) / 2, (-(plane - 1) * x) / 2];
  for (let k = 0; k < slices; k++) {
    const values = [...data.subarray(k * plane ** 2, (k + 1) * plane ** 2)];
    const place = { position: [...corner, ((slices - 1) / 2 - k) * mm], pixelSpacing: [x, y], number: k + 1 };
    const named = { instance: `1.2.3.4.${k + 1}`, rows: plane, columns: plane, signed: true };
    writeFileSync(join(folder, `IM${String(k).padStart(4, '0')}`), dicomFixture({ ...named, ...place, values }));
  }
}

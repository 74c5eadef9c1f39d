import { dirname, resolve } from 'node:path';
import { gunzippedLength, tooShort } from './gzip.ts';
import { imageError } from './imageError.ts';
import type { ItkImage, ItkTask } from './itk/itkTask.ts';
import { isImage, withItk } from './itk/itkThread.ts';
import { readMetaHeader } from './metaHeader.ts';
import type { ReadOptions } from './nifti.ts';
import { requireVolume } from './niftiHeader.ts';
import { readNrrdHeader } from './nrrdHeader.ts';
import type { Decoded } from './storedVolume.ts';
import { claimedBytes, type TextHeader } from './textHeader.ts';
import type { StoredVoxels } from './voxels.ts';

const formats = {
  nrrd: {
    read: readNrrdHeader,
    pipeline: 'nrrd-read-image',
    names: /\.n(rrd|hdr)$/,
    attached: '.nrrd',
    detached: '.nhdr',
  },
  metaimage: {
    read: readMetaHeader,
    pipeline: 'meta-read-image',
    names: /\.mh[ad]$/,
    attached: '.mha',
    detached: '.mhd',
  },
} as const;

/** Reads and checks the header of a NRRD or MetaImage file. Throws UnimissError('data') naming file and reason. */
export async function inspectTextVolume(
  path: string,
  format: keyof typeof formats,
  { volume }: ReadOptions = {},
): Promise<TextHeader> {
  const header = await formats[format].read(path, volume);
  requireVolume(header.volumes, volume, (what, remedy) => imageError(path, what, { remedy }));
  return header;
}

/**
 * Reads a NRRD or MetaImage file, attached or detached: ITK decodes the voxels, in a thread; where they lie says the header, which is checked
 * before.
 * @throws UnimissError('data') naming file and reason
 */
export async function decodeTextVolume(
  path: string,
  format: keyof typeof formats,
  options: ReadOptions = {},
): Promise<Decoded> {
  const header = await inspectTextVolume(path, format, options);
  await requireWholeStream(path, header);
  const task = taskFor(resolve(path), formats[format], header);
  const [, image] = await withItk((itk) => itk.run(path, task, claimedBytes(header)));
  const [i, j, k] = header.grid.size;
  if (!isImage(image, i * j * k * header.volumes))
    throw imageError(path, 'cannot be decoded: what its voxels give is not of the size in its header', {
      remedy: 'Convert it to .nii.gz with the program that wrote it.',
    });
  const { grid, spacingKnown, orientationNotice } = header;
  return {
    voxels: oneOf(image, header, options.volume ?? 0),
    scaling: { slope: 1, intercept: 0 },
    grid,
    spacingKnown,
    orientationNotice,
  };
}

/** ITK takes what a compressed stream gives, and zero for the rest: so it is decoded here first, without keeping anything. */
async function requireWholeStream(path: string, header: TextHeader): Promise<void> {
  const { compressedFrom: start, dataFile: file } = header;
  if (start === undefined) return;
  const claimed = claimedBytes(header);
  const found = await gunzippedLength(path, claimed, { file, start });
  if (found < claimed) throw tooShort(path, claimed, found);
}

function taskFor(
  path: string,
  { pipeline, names, attached, detached }: (typeof formats)['nrrd' | 'metaimage'],
  header: TextHeader,
): ItkTask {
  const outputs = ['json', 'image'] as const;
  if (names.test(path)) return { pipeline, args: [path, '0', '1'], inputs: [], outputs, mounts: [dirname(path)] };
  // ITK asks for the ending; we do not.
  if (resolve(header.dataFile) !== path)
    throw imageError(path, 'keeps its voxels in another file, but does not have the name of such a header', {
      remedy: `Rename it so that it ends with ${detached}.`,
    });
  const as = `/image${attached}`;
  return { pipeline, args: [as, '0', '1'], inputs: [{ file: path, as }], outputs, mounts: [] };
}

/** Of several volumes the wanted one. ITK puts the values of all volumes at one voxel together where it takes them as components. */
function oneOf({ data, imageType }: ItkImage, { grid, volumes }: TextHeader, volume: number): StoredVoxels {
  if (volumes === 1) return data;
  const length = grid.size[0] * grid.size[1] * grid.size[2];
  if (imageType.components === 1) return data.subarray(volume * length, (volume + 1) * length);
  const one = data.slice(0, length);
  for (let v = 0; v < length; v++) one[v] = data[v * volumes + volume]!;
  return one;
}

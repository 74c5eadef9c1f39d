import { imageError } from './imageError.ts';
import type { Affine, AffineRow } from './niftiGeometry.ts';
import type { NiftiTypeName } from './niftiHeader.ts';
import {
  checkClaim,
  checkedAffine,
  checkedSizes,
  checkedType,
  checkVolumes,
  Fields,
  printable,
  readTextStart,
  skippedBytes,
  type TextHeader,
  voxelsOf,
} from './textHeader.ts';

const types: Record<string, NiftiTypeName> = {
  MET_CHAR: 'int8',
  MET_UCHAR: 'uint8',
  MET_SHORT: 'int16',
  MET_USHORT: 'uint16',
  MET_INT: 'int32',
  MET_UINT: 'uint32',
  MET_LONG_LONG: 'int64',
  MET_ULONG_LONG: 'uint64',
  MET_FLOAT: 'float32',
  MET_DOUBLE: 'float64',
};

/**
 * Reads and checks the header of a MetaImage (https://itk.org/Wiki/ITK/MetaIO/Documentation), attached or detached, before anything is allocated
 * for its voxels and before a library sees it. Its axes are left, posterior, superior, as ITK reads them.
 * @param volume of several volumes (4-D) the number of the wanted one; undefined: such a file is refused
 * @throws UnimissError('data') naming file and reason
 */
export async function readMetaHeader(path: string, volume?: number): Promise<TextHeader> {
  const fail = (what: string, remedy?: string) => imageError(path, what, { remedy });
  const { text, size: fileSize } = await readTextStart(path);
  const fields = new Fields(fail);
  let at = 0;
  let ended = false;
  while (!ended) {
    const end = text.indexOf('\n', at);
    if (end < 0 && at >= text.length) throw fail('is truncated: its header does not end');
    const line = text.slice(at, end < 0 ? text.length : end).replace(/\r$/, '');
    at = end < 0 ? text.length : end + 1;
    if (line.trim() === '') continue;
    const [, name, value] = /^\s*([A-Za-z][A-Za-z0-9_ ]{0,99}?)\s*=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw fail('has a line in its header that is no field');
    fields.add(name, value);
    ended = name.toLowerCase() === 'elementdatafile';
  }
  const kind = fields.get('objecttype') ?? 'Image';
  if (kind.toLowerCase() !== 'image') throw fail(`holds no image but “${printable(kind)}”`);
  const dimension = Number(fields.need('ndims'));
  if (dimension !== 3 && dimension !== 4)
    throw fail(`is ${printable(fields.need('ndims'))}-D; only volumes are supported`);
  if (!['1', undefined].includes(fields.get('elementnumberofchannels')))
    throw fail('has several numbers for each voxel, where one is expected (a colour image?)', 'Convert it to grey.');
  const typeName = fields.need('elementtype').toUpperCase();
  const type = checkedType(types, typeName, fail);
  const sizes = fields.numbers(dimension, 'dimsize') ?? [];
  const volumes = sizes[3] ?? 1;
  checkVolumes(volumes, sizes.join('×'), volume, fail);
  const size = checkedSizes(sizes.slice(0, 3), fail);

  const { affine, known } = geometryOf(fields, dimension);
  const local = fields.need('elementdatafile');
  if (/^LIST\b|%\d*d|\s\d+\s+\d+/.test(local))
    throw fail('keeps its voxels in several files', 'Save it as one .mha file.');
  const detached = local.toUpperCase() === 'LOCAL' ? undefined : local;
  const { dataFile, start, stored } = await voxelsOf(path, { detached, headerEnd: at, fileSize });
  const compressed = /^t/i.test(fields.get('compresseddata') ?? 'False');
  const binary = !/^f/i.test(fields.get('binarydata') ?? 'True');
  const skip = skippedBytes(fields, 'HeaderSize');
  const header: TextHeader = {
    grid: { format: 'metaimage', size, affine, type },
    spacingKnown: known,
    volumes,
    dataFile,
    ...(compressed && { compressedFrom: start + Math.max(0, skip) }),
  };
  // A number in text takes a character and a blank at least.
  checkClaim(path, header, binary ? stored - Math.max(0, skip) : stored * 4, compressed);
  return header;
}

function geometryOf(fields: Fields, dimension: number): { affine: Affine; known: boolean } {
  const spacing = fields.numbers(dimension, 'elementspacing') ?? fields.numbers(dimension, 'elementsize');
  const known = spacing?.slice(0, 3).every((mm) => Math.abs(mm) > 1e-3 && Math.abs(mm) < 1e3) ?? false;
  const mm = known ? (spacing ?? []) : [1, 1, 1];
  const origin = fields.numbers(dimension, 'offset', 'position', 'origin') ?? [];
  const matrix = fields.numbers(dimension ** 2, 'transformmatrix', 'rotation', 'orientation');
  const row = (r: 0 | 1 | 2): AffineRow => {
    // The matrix lists the direction of each axis, one after the other.
    const along = (axis: number) =>
      (matrix ? (matrix[axis * dimension + r] ?? 0) : Number(axis === r)) * (mm[axis] ?? 1);
    const sign = r < 2 ? -1 : 1;
    return [sign * along(0) + 0, sign * along(1) + 0, sign * along(2) + 0, sign * (origin[r] ?? 0) + 0];
  };
  return { affine: checkedAffine([row(0), row(1), row(2)], fields.fail), known };
}

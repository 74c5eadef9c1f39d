import { imageError } from './imageError.ts';
import type { Affine, AffineRow } from './niftiGeometry.ts';
import type { NiftiTypeName } from './niftiHeader.ts';
import type { LabelNames } from './storedVolume.ts';
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

const types: Record<string, NiftiTypeName> = {};
const names: Record<NiftiTypeName, string> = {
  int8: 'signed char,int8,int8_t',
  uint8: 'uchar,unsigned char,uint8,uint8_t',
  int16: 'short,short int,signed short,signed short int,int16,int16_t',
  uint16: 'ushort,unsigned short,unsigned short int,uint16,uint16_t',
  int32: 'int,signed int,int32,int32_t',
  uint32: 'uint,unsigned int,uint32,uint32_t',
  int64: 'longlong,long long,long long int,signed long long,signed long long int,int64,int64_t',
  uint64: 'ulonglong,unsigned long long,unsigned long long int,uint64,uint64_t',
  float32: 'float',
  float64: 'double',
};
for (const [type, list] of Object.entries(names))
  for (const name of list.split(',')) types[name] = type as NiftiTypeName;

/** Signs that turn a space's axes to RAS. */
const spaces: Record<string, readonly [number, number, number]> = {
  'right-anterior-superior': [1, 1, 1],
  ras: [1, 1, 1],
  'left-anterior-superior': [-1, 1, 1],
  las: [-1, 1, 1],
  'left-posterior-superior': [-1, -1, 1],
  lps: [-1, -1, 1],
};
const millimeters: Record<string, number> = { mm: 1, cm: 10, m: 1000, um: 1e-3, µm: 1e-3, Âµm: 1e-3, '': 1 };
const colors = /^(rgb|hsv|xyz|rgba|[34])-?color$|^color$/;

/**
 * Reads and checks the header of a NRRD file (http://teem.sourceforge.net/nrrd/format.html), attached or detached, before anything is allocated
 * for its voxels and before a library sees it.
 * @param volume of several volumes (4-D) the number of the wanted one; undefined: such a file is refused
 * @throws UnimissError('data') naming file and reason
 */
export async function readNrrdHeader(path: string, volume?: number): Promise<TextHeader> {
  const fail = (what: string, remedy?: string) => imageError(path, what, { remedy });
  const { text, size: fileSize } = await readTextStart(path);
  if (!/^NRRD000[1-5]\r?\n/.test(text)) throw fail('is not a NRRD file of a known version');
  const blank = /\r?\n\r?\n/.exec(text);
  const head = blank ? text.slice(0, blank.index) : text;
  const fields = new Fields(fail);
  const keys = new Fields(fail);
  for (const line of head.split(/\r?\n/).slice(1)) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, mark, value] = /^([^:]{1,200}?)(:=|: ?)(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw fail('has a line in its header that is no field');
    (mark === ':=' ? keys : fields).add(name, value);
  }
  const dimension = Number(fields.need('dimension'));
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > 16)
    throw fail(`says that it has ${printable(fields.need('dimension'))} dimensions`);
  const sizes = fields.numbers(dimension, 'sizes') ?? [];
  const typeName = fields.need('type').toLowerCase();
  const type = checkedType(types, typeName, fail);
  const axes = spatialAxes(sizes, fields, volume);
  const size = checkedSizes(axes.size, fail);
  const geometry = geometryOf(fields, axes.first);

  const encoding = (fields.get('encoding') ?? 'raw').toLowerCase();
  if (!['raw', 'gzip', 'gz', 'ascii', 'text', 'txt', 'hex'].includes(encoding))
    throw fail(`is encoded as “${printable(encoding)}”; raw, gzip, ascii and hex are supported`);
  const detached = fields.get('datafile');
  if (detached !== undefined && /^LIST\b|%\d*d/.test(detached))
    throw fail('keeps its voxels in several files', 'Save it as one .nrrd file.');
  if (detached === undefined && !blank) throw fail('is truncated: its header does not end');
  const skip = skippedBytes(fields, 'byte skip');
  const headerEnd = blank ? blank.index + blank[0].length : 0;
  const { dataFile, start, stored } = await voxelsOf(path, { detached, headerEnd, fileSize });
  const labelNames = segments(keys);
  const header: TextHeader = {
    grid: {
      format: 'nrrd',
      size,
      affine: geometry.affine,
      type,
      ...(labelNames.size > 0 && { labelNames }),
    },
    spacingKnown: geometry.known,
    orientationNotice: geometry.notice,
    volumes: axes.volumes,
    dataFile,
    // Lines before a stream are as rare as they are hard to count: then ITK alone checks it.
    ...(encoding.startsWith('g') && fields.get('lineskip') === undefined && { compressedFrom: start }),
  };
  // A number in text takes a character and a blank at least.
  const text1 = /^(ascii|text|txt)$/.test(encoding);
  checkClaim(path, header, text1 ? stored * 4 : stored - Math.max(0, skip), encoding.startsWith('g'));
  return header;
}

/** Of three axes, or four with one that counts volumes, those in space. */
function spatialAxes(sizes: readonly number[], fields: Fields, volume: number | undefined) {
  const kinds = fields.get('kinds')?.toLowerCase().split(/\s+/) ?? [];
  const color = kinds.find((kind) => colors.test(kind));
  if (color !== undefined)
    throw fields.fail('is a colour image, where one number for each voxel is expected', 'Convert it to grey.');
  if (sizes.length !== 4) return { size: sizes, volumes: 1, first: 0 };
  const directions = vectors(fields.get('spacedirections'), fields);
  const outside = directions
    ? directions.map((v) => v === undefined)
    : kinds.map((kind) => !/^(domain|space)$/.test(kind));
  const first = outside[0] ? 1 : 0;
  const volumes = (first === 1 ? sizes[0] : sizes[3]) ?? 0;
  const size = first === 1 ? sizes.slice(1) : sizes.slice(0, 3);
  const text = sizes.join('×');
  if (outside.filter(Boolean).length > 1 || outside[1] || outside[2])
    throw fields.fail(`has axes that do not lie in space between others (${text})`);
  checkVolumes(volumes, text, volume, fields.fail);
  return { size, volumes, first };
}

/** `(a,b,c) none (…)`: vectors, undefined for `none`. */
function vectors(text: string | undefined, fields: Fields): (readonly number[] | undefined)[] | undefined {
  if (text === undefined) return undefined;
  const parts = text.match(/none|\([^)]*\)/g) ?? [];
  return parts.map((part) => {
    if (part === 'none') return undefined;
    const values = part.slice(1, -1).split(',').map(Number);
    if (values.length !== 3 || !values.every(Number.isFinite))
      throw fields.fail('has directions in its header that are not three numbers each');
    return values;
  });
}

function geometryOf(fields: Fields, first: number): { affine: Affine; known: boolean; notice?: string } {
  const space = (fields.get('space') ?? '')
    .toLowerCase()
    .replace(/-time$/, '')
    .replace(/^(ras|las|lps)t$/, '$1');
  const signs = spaces[space];
  const given = vectors(fields.get('spacedirections'), fields)?.filter((v) => v !== undefined);
  const units = (fields.get('spaceunits') ?? '').match(/"[^"]*"/g)?.map((unit) => unit.slice(1, -1)) ?? [
    'mm',
    'mm',
    'mm',
  ];
  const scale = units.slice(0, 3).map((unit) => millimeters[unit]);
  if (scale.some((mm) => mm === undefined))
    throw fields.fail('has lengths in a unit that is not known', 'Save it in mm.');
  const mm = (axis: number) => scale[axis] ?? 1;
  const origin = vectors(fields.get('spaceorigin'), fields)?.[0] ?? [0, 0, 0];
  let directions = given;
  let known = true;
  if (!directions) {
    const spacings =
      fields
        .get('spacings')
        ?.split(/\s+/)
        .map(Number)
        .slice(first, first + 3) ?? [];
    known = spacings.length === 3 && spacings.every((s) => s > 1e-3 && s < 1e3);
    const [x = 1, y = 1, z = 1] = known ? spacings : [1, 1, 1];
    directions = [
      [x, 0, 0],
      [0, y, 0],
      [0, 0, z],
    ];
  }
  if (directions.length !== 3) throw fields.fail('does not have three directions in its header');
  // Without a space, ITK takes the axes as left, posterior, superior; so do the programs that build on it.
  const turn = signs ?? [-1, -1, 1];
  const row = (r: 0 | 1 | 2): AffineRow => {
    const value = (v: readonly number[] | undefined) => turn[r] * (v?.[r] ?? 0) * mm(r) + 0;
    return [value(directions[0]), value(directions[1]), value(directions[2]), value(origin)];
  };
  const affine = checkedAffine([row(0), row(1), row(2)], fields.fail);
  const unnamed = `names no space of the patient's axes in its header${space === '' ? '' : ` but “${printable(space)}”`}; they are taken as left, posterior, superior`;
  return signs ? { affine, known } : { affine, known, notice: unnamed };
}

/** Names of the segments that 3D Slicer writes into `.seg.nrrd`. */
function segments(keys: Fields): LabelNames {
  const found = new Map<number, string>();
  for (let i = 0; i < 4096; i++) {
    const value = keys.get(`segment${i}_labelvalue`);
    const name = keys.get(`segment${i}_name`);
    if (value === undefined || name === undefined) break;
    if (Number.isInteger(Number(value)))
      found.set(Number(value), Buffer.from(name, 'latin1').toString('utf8').slice(0, 300));
  }
  return found;
}

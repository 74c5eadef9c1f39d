import { type NiftiTypeCode, niftiTypes } from './niftiHeader.ts';

/** The contents of a NIfTI file for tests; missing fields get sound values. */
export interface NiftiFixture {
  version?: 1 | 2;
  littleEndian?: boolean;
  type?: number;
  /** dim[1…]; the rank is its length unless `rank` is given. */
  size?: readonly number[];
  rank?: number;
  bitpix?: number;
  offset?: number;
  slope?: number;
  intercept?: number;
  pixdim?: readonly number[];
  units?: number;
  sform?: readonly (readonly number[])[];
  /** qfac, b, c, d, offset x, y, z */
  qform?: readonly number[];
  formCodes?: readonly [qform: number, sform: number];
  magic?: string;
  values?: readonly (number | bigint)[];
}

const put: Record<string, (view: DataView, at: number, value: number | bigint, little: boolean) => void> = {
  uint8: (v, at, x) => v.setUint8(at, Number(x)),
  int8: (v, at, x) => v.setInt8(at, Number(x)),
  int16: (v, at, x, le) => v.setInt16(at, Number(x), le),
  uint16: (v, at, x, le) => v.setUint16(at, Number(x), le),
  int32: (v, at, x, le) => v.setInt32(at, Number(x), le),
  uint32: (v, at, x, le) => v.setUint32(at, Number(x), le),
  float32: (v, at, x, le) => v.setFloat32(at, Number(x), le),
  float64: (v, at, x, le) => v.setFloat64(at, Number(x), le),
  int64: (v, at, x, le) => v.setBigInt64(at, BigInt(x), le),
  uint64: (v, at, x, le) => v.setBigUint64(at, BigInt(x), le),
};

/** The bytes of a NIfTI file of either version, byte order and type, written independently of the product's writer. */
export function niftiFixture(spec: NiftiFixture = {}): Buffer {
  const { version = 1, littleEndian: le = true, type = 4, size = [4, 3, 2], slope = 0, intercept = 0 } = spec;
  const { pixdim = [2, 3, 4], qform, sform, values = [] } = spec;
  const known = niftiTypes[type as NiftiTypeCode];
  const bytes = known?.bytes ?? 4;
  const offset = spec.offset ?? (version === 1 ? 352 : 544);
  const start = Math.max(offset, version === 1 ? 352 : 544);
  const file = Buffer.alloc(start + values.length * bytes);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const i16 = (at: number, x: number) => view.setInt16(at, x, le);
  const i32 = (at: number, x: number) => view.setInt32(at, x, le);
  const real = (at1: number, at2: number, index: number, x: number) =>
    version === 1 ? view.setFloat32(at1 + 4 * index, x, le) : view.setFloat64(at2 + 8 * index, x, le);
  const dims = [spec.rank ?? size.length, ...size, 1, 1, 1, 1, 1, 1].slice(0, 8);
  dims.forEach((n, i) => {
    if (version === 1) i16(40 + 2 * i, n);
    else view.setBigInt64(16 + 8 * i, BigInt(n), le);
  });
  i32(0, version === 1 ? 348 : 540);
  i16(version === 1 ? 70 : 12, type);
  i16(version === 1 ? 72 : 14, spec.bitpix ?? 8 * bytes);
  [qform?.[0] ?? 1, ...pixdim].forEach((mm, i) => {
    real(76, 104, i, mm);
  });
  if (version === 1) view.setFloat32(108, offset, le);
  else view.setBigInt64(168, BigInt(offset), le);
  real(112, 176, 0, slope);
  real(116, 184, 0, intercept);
  const codes = spec.formCodes ?? [qform ? 1 : 0, sform ? 1 : 0];
  if (version === 1) {
    view.setUint8(123, spec.units ?? 2);
    i16(252, codes[0]);
    i16(254, codes[1]);
  } else {
    i32(500, spec.units ?? 2);
    i32(344, codes[0]);
    i32(348, codes[1]);
  }
  qform?.slice(1).forEach((x, i) => {
    real(256, 352, i, x);
  });
  sform?.flat().forEach((x, i) => {
    real(280, 400, i, x);
  });
  const magic = spec.magic ?? `n+${version}`;
  file.write(magic, version === 1 ? 344 : 4, 'latin1');
  if (version === 2) file.write('\r\n\x1a\n', 8, 'latin1');
  values.forEach((x, i) => {
    put[known?.name ?? 'float32']!(view, start + i * bytes, x, le);
  });
  return file;
}

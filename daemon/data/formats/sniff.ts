/** The supported file formats. `gz` is a gzip stream, which may contain a NIfTI file. */
export type Format = 'nifti' | 'gz' | 'nrrd' | 'metaimage' | 'dicom' | 'png' | 'jpeg';

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return bytes.length >= start.length && start.every((byte, i) => bytes[i] === byte);
}

/** Whether a file with these first bytes begins like a NIfTI header: its size field is 348 or 540 in either byte order. */
function hasNiftiSize(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
  return [348, 540].some((size) => view.getInt32(0, true) === size || view.getInt32(0, false) === size);
}

/** Does a file with these first bytes have the preamble of DICOM (PS3.10)? */
function isDicom(head: Uint8Array): boolean {
  return head.length >= 132 && startsWith(head.subarray(128, 132), [0x44, 0x49, 0x43, 0x4d]);
}

/** Whether these first bytes (uncompressed) contain a NIfTI header: its size and its magic number. */
export function hasNiftiHeader(start: Buffer): boolean {
  if (!hasNiftiSize(start)) return false;
  return [start.toString('latin1', 344, 347), start.toString('latin1', 4, 7)].some((magic) =>
    /^n[+i][12]$/.test(magic),
  );
}

/** The format of a file from its first bytes (magic numbers); undefined: not supported. */
export function sniffFormat(head: Uint8Array): Format | undefined {
  if (startsWith(head, pngSignature)) return 'png';
  if (startsWith(head, [0xff, 0xd8, 0xff])) return 'jpeg';
  if (startsWith(head, [0x1f, 0x8b])) return 'gz';
  if (hasNiftiSize(head)) return 'nifti';
  const text = Buffer.from(head.subarray(0, 256)).toString('latin1');
  if (isDicom(head)) return 'dicom';
  if (/^NRRD000\d/.test(text)) return 'nrrd';
  if (/^\s*(ObjectType\s*=\s*Image|NDims\s*=)/m.test(text)) return 'metaimage';
  return undefined;
}

/** Describes a file with these first bytes that is no image. It never quotes the content, which may be about a patient. */
export function describeContent(head: Uint8Array): string {
  const text = Buffer.from(head.subarray(0, 256)).toString('latin1');
  if (text.startsWith('PK\x03\x04')) return 'a ZIP archive';
  if (text.startsWith('%PDF')) return 'a PDF file';
  if (text.startsWith('GIF8')) return 'a GIF image';
  if (text.startsWith('BM')) return 'a BMP image';
  if (text.startsWith('II*\0') || text.startsWith('MM\0*')) return 'a TIFF image';
  const sample = head.subarray(0, 256);
  const printable = sample.every((b) => b >= 32 || b === 9 || b === 10 || b === 13);
  if (printable) return 'a text file';
  return 'data of an unknown format';
}

/** The format that a file's name promises; undefined: its name is not that of an image. */
export function formatOfName(name: string): Exclude<Format, 'gz'> | undefined {
  if (/\.nii(\.gz)?$/i.test(name)) return 'nifti';
  if (/\.n(rrd|hdr)$/i.test(name)) return 'nrrd';
  if (/\.mh[ad]$/i.test(name)) return 'metaimage';
  if (/\.dcm$/i.test(name)) return 'dicom';
  if (/\.png$/i.test(name)) return 'png';
  if (/\.jpe?g$/i.test(name)) return 'jpeg';
  return undefined;
}

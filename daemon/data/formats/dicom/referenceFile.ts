import { createHash } from 'node:crypto';
import type { DataSet } from 'dicom-parser';

/** What a segmentation takes over from the files that it is about: patient, study, series, and where each slice lies. */
const texts: readonly (readonly [tag: number, vr: string, otherwise?: string])[] = [
  [0x00080005, 'CS'],
  [0x00080016, 'UI'],
  [0x00080018, 'UI'],
  [0x00080020, 'DA', ''],
  [0x00080030, 'TM', ''],
  [0x00080050, 'SH', ''],
  [0x00080060, 'CS', 'OT'],
  [0x00080090, 'PN', ''],
  [0x00081030, 'LO'],
  [0x00100010, 'PN', ''],
  [0x00100020, 'LO', ''],
  [0x00100030, 'DA', ''],
  [0x00100040, 'CS', ''],
  [0x0020000d, 'UI'],
  [0x0020000e, 'UI'],
  [0x00200010, 'SH', ''],
  [0x00200011, 'IS'],
  [0x00200013, 'IS'],
  [0x00200032, 'DS'],
  [0x00200037, 'DS'],
  [0x00200052, 'UI'],
  [0x00201040, 'LO', ''],
];
/** dcmqi skips files without pixels; it never looks at them. */
const pixel = Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x57, 0, 0, 2, 0, 0, 0, 0, 0]);
const ctImage = '1.2.840.10008.5.1.4.1.1.2';
const explicitLittle = '1.2.840.10008.1.2.1';

/**
 * A DICOM file with the header of another and without its pixels: what a library needs to know of the files that a segmentation is about. It is
 * explicit little endian, however the other is stored. Identifiers that an anonymised file lacks are taken from the file's meta
 * information, or made from `key`, the same for each file of a series.
 */
export function referenceFile(dataSet: DataSet, key: string): Buffer {
  const text = (tag: number) => dataSet.string(tagName(tag))?.trim() || undefined;
  const filled: Record<number, string> = {
    524310: text(0x00080016) ?? text(0x00020002) ?? ctImage,
    524312: text(0x00080018) ?? text(0x00020003) ?? madeUid(`${key} instance ${text(0x00200032) ?? text(0x00200013)}`),
    2097165: text(0x0020000d) ?? madeUid(`${key} study`),
    2097166: text(0x0020000e) ?? madeUid(`${key} series`),
    2097234: text(0x00200052) ?? madeUid(`${key} frame of reference`),
  };
  const elements = texts.flatMap(([tag, vr, otherwise]) => {
    const value = filled[tag] ?? text(tag) ?? otherwise;
    return value === undefined ? [] : [element(tag, vr, value)];
  });
  const meta = Buffer.concat([
    element(0x00020002, 'UI', filled[0x00080016] ?? ctImage),
    element(0x00020003, 'UI', filled[0x00080018] ?? ''),
    element(0x00020010, 'UI', explicitLittle),
    element(0x00020012, 'UI', madeUid('UniMiSS')),
  ]);
  const length = Buffer.alloc(12);
  length.writeUInt16LE(2, 0);
  length.write('UL', 4, 'latin1');
  length.writeUInt16LE(4, 6);
  length.writeUInt32LE(meta.length, 8);
  const counts = [0x00280010, 0x00280011].map((tag) => shortElement(tag, dataSet.uint16(tagName(tag)) ?? 1));
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, meta, ...elements, ...counts, pixel]);
}

/** An identifier in the root for made ones (2.25 and a number of 128 bits, PS3.5 B.2), the same for the same text. */
export function madeUid(text: string): string {
  return `2.25.${BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 32)}`)}`;
}

/** Text as it was read: a character a byte, so that its character set stays what (0008,0005) says. */
function element(tag: number, vr: string, value: string): Buffer {
  const padded = value.length % 2 === 0 ? value : `${value}${vr === 'UI' ? '\0' : ' '}`;
  const bytes = Buffer.from(padded, 'latin1');
  const head = Buffer.alloc(8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, 'latin1');
  head.writeUInt16LE(bytes.length, 6);
  return Buffer.concat([head, bytes]);
}

function shortElement(tag: number, value: number): Buffer {
  const bytes = element(tag, 'US', '  ');
  bytes.writeUInt16LE(value, 8);
  return bytes;
}

function tagName(tag: number): string {
  return `x${tag.toString(16).padStart(8, '0')}`;
}

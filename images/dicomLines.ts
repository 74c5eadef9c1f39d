import type { DataSet, Element } from 'dicom-parser';
import type { HeaderLine } from '../protocol/viewer/header.ts';

/** Names (PS3.6) of the tags that a viewer is asked about; others are shown by their numbers. */
const names: Readonly<Record<string, string>> = {
  x00020010: 'Transfer Syntax UID',
  x00080005: 'Specific Character Set',
  x00080008: 'Image Type',
  x00080016: 'SOP Class UID',
  x00080018: 'SOP Instance UID',
  x00080020: 'Study Date',
  x00080060: 'Modality',
  x00080070: 'Manufacturer',
  x00080080: 'Institution Name',
  x00080090: "Referring Physician's Name",
  x00081030: 'Study Description',
  x0008103e: 'Series Description',
  x00081090: "Manufacturer's Model Name",
  x00100010: "Patient's Name",
  x00100020: 'Patient ID',
  x00100030: "Patient's Birth Date",
  x00100040: "Patient's Sex",
  x00101010: "Patient's Age",
  x00180015: 'Body Part Examined',
  x00180050: 'Slice Thickness',
  x00180060: 'KVP',
  x00180080: 'Repetition Time',
  x00180081: 'Echo Time',
  x00180087: 'Magnetic Field Strength',
  x00180088: 'Spacing Between Slices',
  x00181120: 'Gantry/Detector Tilt',
  x00181151: 'X-Ray Tube Current',
  x00181210: 'Convolution Kernel',
  x00185100: 'Patient Position',
  x0020000d: 'Study Instance UID',
  x0020000e: 'Series Instance UID',
  x00200011: 'Series Number',
  x00200013: 'Instance Number',
  x00200032: 'Image Position (Patient)',
  x00200037: 'Image Orientation (Patient)',
  x00200052: 'Frame of Reference UID',
  x00280002: 'Samples per Pixel',
  x00280004: 'Photometric Interpretation',
  x00280008: 'Number of Frames',
  x00280010: 'Rows',
  x00280011: 'Columns',
  x00280030: 'Pixel Spacing',
  x00280100: 'Bits Allocated',
  x00280101: 'Bits Stored',
  x00280103: 'Pixel Representation',
  x00281050: 'Window Center',
  x00281051: 'Window Width',
  x00281052: 'Rescale Intercept',
  x00281053: 'Rescale Slope',
};
/** Of these groups and tags the values are technical. All others may name a person, a place or a day, private ones above all. */
const open =
  /^x(0002....|0018(0015|0050|0060|008[0-9]|1120|1151|1210|5100)|0020(0011|0013|0032|0037)|0028....|00080005|00080008|00080016|00080060|00080070|00081090)$/;
const identifier = /^x0002(0003|0013|0016|0102)$/;
const mostText = 200;
const integers: Readonly<Record<string, (data: DataSet, tag: string) => number | undefined>> = {
  US: (data, tag) => data.uint16(tag),
  SS: (data, tag) => data.int16(tag),
  UL: (data, tag) => data.uint32(tag),
  SL: (data, tag) => data.int32(tag),
};
/** Tags that are integers where a file does not say their types. */
const unsigned = /^x0028(0002|0010|0011|0100|0101|0102|0103|0006)$/;
const texts = /^(AE|AS|CS|DA|DS|DT|IS|LO|LT|PN|SH|ST|TM|UC|UI|UR|UT)$/;

/** The elements of a DICOM file, without its pixels. @param revealed whether those that may name a patient have their values */
export function dicomLines(data: DataSet, revealed: boolean): HeaderLine[] {
  return Object.entries(data.elements)
    .filter(([tag]) => tag !== 'x7fe00010')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([tag, element]) => {
      const name = `(${tag.slice(1, 5)},${tag.slice(5)}) ${names[tag] ?? (isPrivate(tag) ? 'private' : '')}`.trim();
      const shown = revealed || (open.test(tag) && !identifier.test(tag));
      return { name, value: shown ? elementText(data, tag, element) : undefined };
    });
}

function isPrivate(tag: string): boolean {
  return Number.parseInt(tag.slice(1, 5), 16) % 2 === 1;
}

function elementText(data: DataSet, tag: string, { vr, items, length }: Element): string {
  if (items || vr === 'SQ') return `sequence of ${items?.length ?? 0}`;
  const integer = integers[vr ?? (unsigned.test(tag) ? 'US' : '')]?.(data, tag);
  if (integer !== undefined) return String(integer);
  if (vr !== undefined && !texts.test(vr)) return `${length} bytes`;
  const text = data.string(tag) ?? '';
  return /[\p{Cc}]/u.test(text) ? `${length} bytes` : text.slice(0, mostText);
}

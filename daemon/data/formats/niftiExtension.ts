import { headerBytes, type NiftiHeader } from './niftiHeader.ts';
import type { LabelNames } from './storedVolume.ts';

/** The code of Caret's XML among the header extensions of NIfTI (https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields). */
const caretCode = 30;
/** TotalSegmentator writes the same XML under the code of extensions without a name. */
const unnamedCode = 0;

/**
 * The names of labels in the header extension that Caret, Connectome Workbench and TotalSegmentator write; none where there is none.
 * Damaged extensions are ignored: they say nothing about the voxels.
 * @param head the file up to its voxels
 */
export function caretLabels(head: Buffer, { version, littleEndian }: NiftiHeader): LabelNames {
  const names = new Map<number, string>();
  let at: number = headerBytes[version];
  if (head[at] !== 1) return names;
  at += 4;
  while (at + 8 <= head.length) {
    const size = littleEndian ? head.readInt32LE(at) : head.readInt32BE(at);
    const code = littleEndian ? head.readInt32LE(at + 4) : head.readInt32BE(at + 4);
    if (size < 8 || at + size > head.length) break;
    if (code === caretCode || code === unnamedCode) readLabels(head.toString('utf8', at + 8, at + size), names);
    at += size;
  }
  return names;
}

function readLabels(xml: string, names: Map<number, string>): void {
  const label =
    /<Label\s[^>]{0,300}?\bKey="(-?\d{1,6})"[^>]{0,300}>(?:<!\[CDATA\[([^\]]{0,300})\]\]>|([^<]{0,300}))<\/Label>/g;
  for (const [, key, quoted, plain] of xml.matchAll(label)) names.set(Number(key), (quoted ?? unescaped(plain)).trim());
}

function unescaped(text = ''): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}

/** The header extension with the names of labels, as Caret's XML: its length is a multiple of 16, as the standard asks for. */
export function encodeCaretLabels(names: LabelNames, littleEndian: boolean): Buffer {
  const labels = [...names].map(([key, name], i) => {
    const [red, green, blue] = colorOf(i);
    // What ends the quotation, and what XML does not allow, cannot be in it.
    const text = name
      .replaceAll(']', ')')
      .replace(/\p{Cc}/gu, ' ')
      .slice(0, 300);
    return `<Label Key="${key}" Red="${red}" Green="${green}" Blue="${blue}" Alpha="1"><![CDATA[${text}]]></Label>`;
  });
  const xml = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<CaretExtension><VolumeInformation Index="0"><LabelTable>',
    ...labels,
    '</LabelTable><StudyMetaDataLinkSet></StudyMetaDataLinkSet><VolumeType><![CDATA[Label]]></VolumeType>',
    '</VolumeInformation></CaretExtension>',
  ].join('\n');
  const bytes = Buffer.from(xml, 'utf8');
  const extension = Buffer.alloc(16 * Math.ceil((8 + bytes.length + 1) / 16));
  const put = (value: number, at: number) =>
    littleEndian ? extension.writeInt32LE(value, at) : extension.writeInt32BE(value, at);
  put(extension.length, 0);
  put(caretCode, 4);
  bytes.copy(extension, 8);
  return extension;
}

/** Colours far from each other, 0–1: hues by the golden ratio. */
function colorOf(index: number): [red: number, green: number, blue: number] {
  const hue = (0.61803398875 * index) % 1;
  const channel = (shift: number) => {
    const distance = Math.abs(((hue + shift) % 1) * 6 - 3);
    return +(0.15 + 0.85 * Math.min(1, Math.max(0, distance - 1))).toFixed(3);
  };
  return [channel(0), channel(2 / 3), channel(1 / 3)];
}

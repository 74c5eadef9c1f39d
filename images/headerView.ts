import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readHeader } from 'nifti-reader-js';
import { readEnds } from '../daemon/data/formats/bytes.ts';
import { dicomFilesIn } from '../daemon/data/formats/dicom/dicomFolder.ts';
import { parseDicom } from '../daemon/data/formats/dicom/dicomHeader.ts';
import { gunzipStart } from '../daemon/data/formats/gzip.ts';
import { sniffFile } from '../daemon/data/formats/image.ts';
import { gzipHeadBytes } from '../daemon/data/formats/nifti.ts';
import { headerBytes } from '../daemon/data/formats/niftiHeader.ts';
import { UnimissError } from '../protocol/errors.ts';
import type { HeaderLine, HeaderView } from '../protocol/viewer/header.ts';
import { dicomLines } from './dicomLines.ts';
import { jpegLines, pngLines } from './pictureLines.ts';

/** Bytes of a header of text that are shown. */
const mostText = 2 ** 16;
/** Fields of text that writers fill with what they like: names and days too. */
const niftiTexts = new Set(['description', 'aux_file', 'intent_name', 'db_name']);
/** Fields of NRRD and MetaImage that are about the grid. */
const technical =
  /^(NRRD\d+|type|dimension|space|sizes|space directions|space origin|kinds|endian|encoding|spacings|thicknesses|units|space units|axis mins|axis maxs|centers|line skip|byte skip|ObjectType|NDims|BinaryData|BinaryDataByteOrderMSB|CompressedData|CompressedDataSize|TransformMatrix|Offset|CenterOfRotation|AnatomicalOrientation|ElementSpacing|ElementSize|DimSize|ElementType|ElementNumberOfChannels|HeaderSize|Segment\d+_(ID|LabelValue|Name|Layer|Extent|Color))$/i;

/**
 * What the header of an image says.
 * @param revealed whether values that may name a patient are in it
 * @throws UnimissError('data') where the file has no header that could be read
 */
export async function headerView(path: string, revealed: boolean): Promise<HeaderView> {
  const lines = await linesOf(path, revealed);
  return { lines, withheld: lines.filter(({ value }) => value === undefined).length };
}

async function linesOf(path: string, revealed: boolean): Promise<HeaderLine[]> {
  const { format } = await sniffFile(path);
  switch (format) {
    case 'dicom': {
      const [first = path] = (await stat(path)).isDirectory() ? await dicomFilesIn(path) : [path];
      return dicomLines((await parseDicom(first)).dataSet, revealed);
    }
    case 'nifti':
    case 'gz':
      return niftiLines(path, format === 'gz', revealed);
    case 'nrrd':
    case 'metaimage':
      return textLines(path, revealed);
    case 'png':
      return pngLines(path, revealed);
    case 'jpeg':
      return jpegLines(path);
    default:
      throw new UnimissError('data', 'has no header that could be read', { place: dirname(path) });
  }
}

async function niftiLines(path: string, compressed: boolean, revealed: boolean): Promise<HeaderLine[]> {
  const { head } = await readEnds(path, gzipHeadBytes, 0);
  const start = compressed ? await gunzipStart(path, head) : head;
  const version = [start.readInt32LE(0), start.readInt32BE(0)].includes(540) ? 2 : 1;
  const header = readHeader(new Uint8Array(start.subarray(0, headerBytes[version])).buffer);
  return Object.entries(header).flatMap(([name, value]): HeaderLine[] => {
    if (typeof value === 'function' || value === undefined || value === null || name === 'extensions') return [];
    const text = Array.isArray(value) ? JSON.stringify(value).replaceAll(',', ', ') : clean(String(value));
    return [{ name, value: niftiTexts.has(name) && text !== '' && !revealed ? undefined : text }];
  });
}

async function textLines(path: string, revealed: boolean): Promise<HeaderLine[]> {
  const { head } = await readEnds(path, mostText, 0);
  const found: HeaderLine[] = [];
  for (const line of head.toString('latin1').split(/\r?\n/)) {
    if (line === '' || line.startsWith('#')) {
      // An empty line ends the header of NRRD.
      if (line === '' && found.length > 0) break;
      continue;
    }
    const [, name, value] = /^\s*([^:=]{1,100}?)\s*(?::=|:|=)\s*(.*)$/.exec(line) ?? [undefined, line, ''];
    if (/[\p{Cc}]/u.test(line)) break;
    const shown = revealed || technical.test(name ?? '');
    found.push({ name: clean(name ?? ''), value: shown ? clean(value ?? '') : undefined });
    if (/^elementdatafile$/i.test(name ?? '')) break;
  }
  return found;
}

function clean(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 400);
}

import { inflateSync } from 'node:zlib';
import { readWhole } from '../daemon/data/formats/bytes.ts';
import { readImage } from '../daemon/data/formats/image.ts';
import { limits } from '../daemon/data/formats/limits.ts';
import { parsePngHeader } from '../daemon/data/formats/pngHeader.ts';
import type { HeaderLine } from '../protocol/viewer/header.ts';

const colorTypes: Readonly<Record<number, string>> = {
  0: 'grey',
  2: 'RGB',
  3: 'palette',
  4: 'grey and opacity',
  6: 'RGB and opacity',
};
/** Bytes of a compressed text that are decoded. */
const mostText = 2 ** 16;

/** What the header of a PNG says, with its texts, which may say anything. Throws UnimissError('data'). */
export async function pngLines(path: string, revealed: boolean): Promise<HeaderLine[]> {
  const file = await readWhole(path, limits.imageFileBytes);
  const { width, height, depth, colorType, interlaced } = parsePngHeader(path, file);
  const about: readonly [string, unknown][] = [
    ['Width', width],
    ['Height', height],
    ['Bits of a sample', depth],
    ['Colour', colorTypes[colorType]],
    ['Interlaced', interlaced ? 'yes' : 'no'],
  ];
  const texts = [...textChunks(file)].map(([name, value]) => ({ name, value: revealed ? value : undefined }));
  return [...about.map(([name, value]) => ({ name, value: String(value) })), ...texts];
}

/** What is known of a JPEG. Throws UnimissError('data'). */
export async function jpegLines(path: string): Promise<HeaderLine[]> {
  const { width, height } = await readImage(path);
  const about = { Format: 'JPEG', Width: String(width), Height: String(height) };
  return Object.entries(about).map(([name, value]) => ({ name, value }));
}

/** Keyword and text of tEXt, zTXt and iTXt (PNG, third edition, 11.3.3), as far as the file is sound. */
function* textChunks(file: Buffer): Generator<[keyword: string, text: string]> {
  for (let at = 8; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + length);
    at += 12 + length;
    const end = body.indexOf(0);
    if (end < 1 || !/^(tEXt|zTXt|iTXt)$/.test(type)) continue;
    const keyword = clean(body.toString('latin1', 0, end));
    if (type === 'tEXt') yield [keyword, clean(body.toString('latin1', end + 1))];
    if (type === 'zTXt') yield [keyword, clean(inflated(body.subarray(end + 2), 'latin1'))];
    if (type !== 'iTXt') continue;
    const compressed = body[end + 1] === 1;
    const language = body.indexOf(0, end + 3);
    const translated = language < 0 ? -1 : body.indexOf(0, language + 1);
    if (translated < 0) continue;
    const text = body.subarray(translated + 1);
    yield [keyword, clean(compressed ? inflated(text, 'utf8') : text.toString('utf8'))];
  }
}

function inflated(bytes: Buffer, encoding: 'latin1' | 'utf8'): string {
  try {
    return inflateSync(bytes, { maxOutputLength: mostText }).toString(encoding);
  } catch {
    return '(cannot be decoded)';
  }
}

function clean(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 400);
}

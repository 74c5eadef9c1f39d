import { crc32, deflateSync } from 'node:zlib';

/** A PNG with texts: each by keyword as tEXt, and one that is compressed (zTXt, `Packed`), before its last chunk. */
export function withTexts(png: Uint8Array, texts: Readonly<Record<string, string>>): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const chunks = Object.entries(texts).map(([name, text]) => chunk('tEXt', Buffer.from(`${name}\0${text}`, 'latin1')));
  const packed = Buffer.concat([Buffer.from('Packed\0\0', 'latin1'), deflateSync(Buffer.from('zipped words'))]);
  const end = png.length - 12; // IEND
  return Buffer.concat([png.subarray(0, end), ...chunks, chunk('zTXt', packed), png.subarray(end)]);
}

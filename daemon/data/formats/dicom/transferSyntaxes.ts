/** How pixels of a DICOM file may be stored so that they can be decoded, by the UID of the transfer syntax (DICOM PS3.6, table A-1). */
const readable: Record<string, string> = {
  '1.2.840.10008.1.2': 'implicit little endian',
  '1.2.840.10008.1.2.1': 'explicit little endian',
  '1.2.840.10008.1.2.1.99': 'deflated explicit little endian',
  '1.2.840.10008.1.2.2': 'explicit big endian',
  '1.2.840.10008.1.2.4.50': 'JPEG baseline',
  '1.2.840.10008.1.2.4.51': 'JPEG extended',
  '1.2.840.10008.1.2.4.57': 'JPEG lossless',
  '1.2.840.10008.1.2.4.70': 'JPEG lossless, selection value 1',
  '1.2.840.10008.1.2.4.80': 'JPEG-LS lossless',
  '1.2.840.10008.1.2.4.81': 'JPEG-LS near-lossless',
  '1.2.840.10008.1.2.4.90': 'JPEG 2000 lossless',
  '1.2.840.10008.1.2.4.91': 'JPEG 2000',
  '1.2.840.10008.1.2.5': 'RLE',
};

const others: readonly [start: string, name: string][] = [
  ['1.2.840.10008.1.2.4.20', 'High-Throughput JPEG 2000'],
  ['1.2.840.10008.1.2.4.9', 'JPEG 2000 multi-component'],
  ['1.2.840.10008.1.2.4.11', 'JPEG XL'],
  ['1.2.840.10008.1.2.4.10', 'MPEG video'],
];

/** Pixels as plain numbers, without compression. */
const plain = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2'];

/** Whether the pixels lie in the file as they are, so that their number of bytes can be checked. */
export function isPlain(uid: string): boolean {
  return plain.includes(uid);
}

/** Why files of this transfer syntax cannot be read; undefined where they can. */
export function unreadableSyntax(uid: string): string | undefined {
  if (uid in readable) return undefined;
  const name = others.find(([start]) => uid.startsWith(start))?.[1];
  const safe = uid.replace(/[^0-9.]/g, '').slice(0, 64);
  return `is stored in a way that is not supported (transfer syntax ${safe || 'missing'}${name ? `, ${name}` : ''})`;
}

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** A file of an archive: its path there, and its content or where that lies. */
export interface Entry {
  path: string;
  content: Uint8Array | { file: string };
}

const block = 512;

/** The pieces of an archive in the format of POSIX tar (ustar): files only, readable and writable by their owner. */
export async function* tar(entries: readonly Entry[]): AsyncGenerator<Uint8Array> {
  for (const { path, content } of entries) {
    const bytes = 'file' in content ? (await stat(content.file)).size : content.length;
    yield header(path, bytes);
    if ('file' in content) {
      let read = 0;
      for await (const piece of createReadStream(content.file) as AsyncIterable<Buffer>) {
        read += piece.length;
        yield piece;
      }
      if (read !== bytes) throw new Error(`${content.file} changed while it was read`);
    } else yield content;
    yield new Uint8Array((block - (bytes % block)) % block);
  }
  yield new Uint8Array(2 * block);
}

/** IEEE Std 1003.1, pax: "ustar Interchange Format". */
function header(path: string, bytes: number): Uint8Array {
  const [prefix, name] = split(path);
  const fields = Buffer.alloc(block);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  const at: [number, string][] = [
    [0, name],
    [100, octal(0o600, 8)],
    [108, octal(0, 8)],
    [116, octal(0, 8)],
    [124, octal(bytes, 12)],
    [136, octal(0, 12)],
    [148, ' '.repeat(8)], // counts as spaces in the sum
    [156, '0'],
    [257, 'ustar\0' + '00'],
    [345, prefix],
  ];
  for (const [offset, text] of at) fields.write(text, offset, 'utf8');
  const sum = fields.reduce((total, byte) => total + byte, 0);
  fields.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return fields;
}

/** A path of up to 255 bytes, cut at a `/` into a prefix (155) and a name (100). */
function split(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return [prefix, name];
  }
  throw new Error(`${path} is too long for an archive`);
}

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { packTar } from 'modern-tar';

/** A file of an archive: its path there, and its content or where that lies. */
export interface Entry {
  path: string;
  content: Uint8Array | { file: string };
}

/** An archive of files that are their owner's alone, in the format of POSIX tar, compressed, with its sum in hexadecimal. */
export async function pack(entries: readonly Entry[]): Promise<{ archive: Buffer; sha256: string }> {
  const files = await Promise.all(
    entries.map(async ({ path, content }) => {
      const body = 'file' in content ? await readFile(content.file) : content;
      return { header: { name: path, size: body.length, mode: 0o600, mtime: new Date(0) }, body };
    }),
  );
  const archive = await promisify(gzip)(await packTar(files), { level: 6 });
  return { archive, sha256: createHash('sha256').update(archive).digest('hex') };
}

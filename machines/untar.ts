/** The plain files of an archive in the format of POSIX tar, by path. For packages whose sum was checked. */
export function untar(archive: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (at: number, length: number) =>
    Buffer.from(archive.subarray(at, at + length))
      .toString('utf8')
      .replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const prefix = text(at + 345, 155);
    const name = text(at, 100);
    const bytes = Number.parseInt(text(at + 124, 12).trim() || '0', 8);
    const kind = String.fromCharCode(archive[at + 156] ?? 0);
    if (kind === '0' || kind === '\0')
      files.set(prefix ? `${prefix}/${name}` : name, archive.subarray(at + 512, at + 512 + bytes));
    at += 512 * (1 + Math.ceil(bytes / 512));
  }
  return files;
}

import { open } from 'node:fs/promises';

/** `e_machine` of the ELF header, by `process.arch`. */
const machines: Record<string, number> = { x64: 62, arm64: 183 };

/**
 * Returns what is wrong with a file that should be a shared library for this processor; undefined if nothing is. Looks at the
 * ELF-64 header only (System V ABI, "Object Files"): magic, class, machine, and whether the section headers, which linkers put
 * last, are inside the file: an incomplete download lacks them.
 */
export async function elfProblem(file: string, arch: string = process.arch): Promise<string | undefined> {
  const handle = await open(file, 'r');
  try {
    const header = Buffer.alloc(64);
    const { bytesRead } = await handle.read(header, 0, 64, 0);
    if (bytesRead < 64 || header.readUInt32BE(0) !== 0x7f454c46) return 'is not a shared library (no ELF header)';
    if (header[4] !== 2) return 'is not a 64-bit library';
    const machine = header.readUInt16LE(18);
    if (machine !== machines[arch]) return `is built for another processor than ${arch} (ELF machine ${machine})`;
    const sectionsEnd = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60);
    const { size } = await handle.stat();
    if (size < sectionsEnd) return `is truncated (${size} of at least ${sectionsEnd} bytes)`;
    return undefined;
  } finally {
    await handle.close();
  }
}

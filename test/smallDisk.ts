import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why no small disk can be mounted here, for the names of tests that are skipped; undefined where it can. */
export const noSmallDisk: string | undefined = probe();

function probe(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'mounting a small disk needs root on Linux';
  const folder = mkdtempSync(join(tmpdir(), 'unimiss-probe-'));
  try {
    mount(folder, '64k');
    execFileSync('umount', [folder]);
    return undefined;
  } catch {
    return 'this machine does not let root mount a tmpfs';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function mount(folder: string, size: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'pipe' });
}

/** Runs a test on a disk of a given size (as `1m`), mounted in `folder/disk`; it is gone afterwards. */
export async function onSmallDisk(folder: string, size: string, test: (disk: string) => Promise<void>): Promise<void> {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  mount(disk, size);
  try {
    await test(disk);
  } finally {
    execFileSync('umount', [disk]);
  }
}

/** Makes such a disk read-only; modes of folders would not do, since root is not bound by them. */
export function makeReadOnly(disk: string): void {
  execFileSync('mount', ['-o', 'remount,ro', disk]);
}

import { readFileSync } from 'node:fs';
import { UnimissError } from '../../../protocol/errors.ts';

/** What decides whether the binaries of TensorFlow and of plugins can run here. */
export interface Host {
  /** `process.platform`. */
  platform: string;
  /** `process.arch`. */
  arch: string;
  /** Version of glibc; undefined with another C library. */
  glibc?: string;
  cpuModel?: string;
  /** Flags of the processor, by their names in Linux; empty if unknown. */
  cpuFlags: string[];
}

const GLIBC_NEEDED = '2.27'; // the wheels' tag manylinux_2_27

export function thisHost(): Host {
  const info = cpuInfo();
  return { platform: process.platform, arch: process.arch, glibc: glibcVersion(), ...info };
}

/**
 * Refuses a machine on which these binaries cannot run, and says what to use instead.
 * @throws UnimissError `engine`
 */
export function checkHost(host: Host): void {
  const refuse = (what: string, remedy: string): never => {
    throw new UnimissError('engine', what, { remedy });
  };
  if (host.platform === 'win32') {
    refuse(
      'The engine does not run on Windows directly',
      'Open the folder in WSL (`wsl --install`, then the WSL extension), or on a Linux machine over SSH.',
    );
  }
  if (host.platform !== 'linux') {
    refuse(
      `The engine runs on Linux, not on ${host.platform === 'darwin' ? 'macOS' : host.platform}`,
      'Use a Linux machine over SSH (Remote-SSH in the editor), or a Linux virtual machine.',
    );
  }
  if (host.arch !== 'x64' && host.arch !== 'arm64') {
    refuse(
      `The engine does not run on ${host.arch} processors`,
      'Use a Linux machine with an x86-64 or arm64 processor, for example over SSH.',
    );
  }
  if (host.glibc === undefined) {
    refuse(
      'The engine needs glibc, but this system has another C library (perhaps musl, as in Alpine Linux)',
      'Use a distribution with glibc, such as Debian, Ubuntu or Fedora, for example in a container.',
    );
  } else if (compareVersions(host.glibc, GLIBC_NEEDED) < 0) {
    refuse(
      `The engine needs glibc ${GLIBC_NEEDED} or newer, but this system has ${host.glibc}`,
      'Use a newer distribution (Ubuntu 18.04, Debian 10, RHEL 8 or later), for example in a container.',
    );
  }
  // TensorFlow's x86-64 wheels abort the process at once on a processor without AVX.
  if (host.arch === 'x64' && host.cpuFlags.length > 0 && !host.cpuFlags.includes('avx')) {
    refuse(
      `The engine needs a processor with AVX, but this one${host.cpuModel ? ` (${host.cpuModel})` : ''} has none`,
      'Use another machine over SSH. In a virtual machine, enable CPU passthrough of the host.',
    );
  }
}

/** Orders dotted version numbers: negative if a is older than b, 0 if they are equal. */
export function compareVersions(a: string, b: string): number {
  const x = a.split('.').map(Number);
  const y = b.split('.').map(Number);
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const d = (x[i] ?? 0) - (y[i] ?? 0);
    if (d !== 0) return d;
  }
  return 0;
}

function glibcVersion(): string | undefined {
  if (process.platform !== 'linux' || !process.report) return undefined;
  // Without this the report looks up the names of all open connections, which can take seconds.
  (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime;
}

function cpuInfo(): { cpuModel?: string; cpuFlags: string[] } {
  if (process.platform !== 'linux') return { cpuFlags: [] };
  let text: string;
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return { cpuFlags: [] }; // a container may hide it; then nothing is known and nothing is refused
  }
  return {
    cpuModel: /^model name\s*:\s*(.+)$/m.exec(text)?.[1],
    cpuFlags: /^(?:flags|Features)\s*:\s*(.+)$/m.exec(text)?.[1]?.split(' ') ?? [],
  };
}

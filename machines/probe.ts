import { UnimissError } from '../protocol/errors.ts';
import { printable } from '../protocol/printable.ts';
import { humanBytes } from '../protocol/words.ts';
import { runScript } from './runScript.ts';
import { probeScript } from './scripts.ts';
import type { SshOptions } from './sshCommand.ts';

/** What a machine says about itself before anything is copied. For people and for checks; nothing is executed because of it. */
export interface MachineFacts {
  /** `Linux` */
  system: string;
  /** `x86_64` */
  processor: string;
  /** `2.36`; undefined with another C library. */
  glibc: string | undefined;
  /** Whether there is a Node that is new enough. */
  hasNode: boolean;
  /** Free bytes where we copy to; undefined if unknown. */
  free: number | undefined;
  /** `NVIDIA H100 80GB HBM3, 575.57.08` */
  gpus: string[];
}

/** Node 20 is built for this glibc (its BUILDING.md). */
const oldestGlibc = [2, 28] as const;

export async function probe(host: string, options: SshOptions & { signal?: AbortSignal }): Promise<MachineFacts> {
  const { said, code, errors } = await runScript(host, probeScript(), options);
  if (code === 0 && said !== '') return parseFacts(said);
  throw new UnimissError('daemon', `cannot be examined (code ${code}): ${printable(errors.trim()).slice(-500)}`, {
    place: host,
    remedy: 'UniMiSS needs `sh`, `uname`, `df` and `tar` there.',
  });
}

/** Reads lines of `name=value`; what does not fit counts as unknown. */
export function parseFacts(text: string): MachineFacts {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, printable(value.trim()).slice(0, 4000));
  }
  const free = /^\S+\s+\d+\s+\d+\s+(\d+)\s/.exec(values.get('free') ?? '')?.[1];
  return {
    system: values.get('system') || 'an unknown system',
    processor: values.get('processor') || 'unknown',
    glibc: /^glibc (\d+\.\d+)/.exec(values.get('glibc') ?? '')?.[1],
    hasNode: (values.get('node') ?? '') !== '',
    free: free === undefined ? undefined : Number(free) * 1024,
    gpus: (values.get('gpus') ?? '')
      .split('|')
      .map((gpu) => gpu.trim())
      .filter((gpu) => /^[^,]+, \d/.test(gpu)),
  };
}

/**
 * Refuses a machine on which the daemon cannot run, or on whose disk it has no room.
 * @param needed bytes
 * @throws UnimissError 'daemon' or 'disk'
 */
export function checkFacts(host: string, { system, processor, glibc, free }: MachineFacts, needed: number): void {
  const refuse = (what: string, remedy: string): never => {
    throw new UnimissError('daemon', what, { place: host, remedy });
  };
  if (system !== 'Linux') refuse(`it runs ${system}, but UniMiSS trains on Linux`, 'Use a Linux machine.');
  if (processor !== 'x86_64')
    refuse(
      `its processor is ${processor}, but UniMiSS brings its daemon for x86_64 only`,
      processor === 'aarch64'
        ? 'Use an x86-64 machine. On that machine itself, a clone of UniMiSS may work in the shell (docs/machines.md).'
        : 'Use an x86-64 machine.',
    );
  const [major = 0, minor = 0] = (glibc ?? '').split('.').map(Number);
  if (major < oldestGlibc[0] || (major === oldestGlibc[0] && minor < oldestGlibc[1]))
    refuse(
      glibc ? `it has glibc ${glibc}, but Node needs ${oldestGlibc.join('.')}` : 'it has no glibc',
      'Use a newer distribution, such as Debian 11, Ubuntu 20.04 or RHEL 8.',
    );
  if (free !== undefined && free < needed)
    throw new UnimissError('disk', `UniMiSS needs ${humanBytes(needed)} there; ${humanBytes(free)} are free`, {
      place: host,
      remedy: 'Free some space in your home there.',
    });
}

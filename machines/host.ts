import { UnimissError } from '../protocol/errors.ts';

/**
 * Names of hosts as SSH configurations have them: `gpu1`, `me@gpu1.lab.example`, an IPv6 address. Nothing that `ssh` takes for an
 * option (`-oProxyCommand=…`), and no character that means something to a shell or in an address of a run.
 */
const hostName = /^[A-Za-z0-9_][A-Za-z0-9._@:%-]{0,254}$/;

/** @throws UnimissError 'config' */
export function checkHost(host: unknown): string {
  if (typeof host === 'string' && hostName.test(host)) return host;
  const shown = typeof host === 'string' ? JSON.stringify(host.slice(0, 100)) : `a ${typeof host}`;
  throw new UnimissError('config', `${shown} is no name of a host`, {
    place: 'unimiss.machines',
    remedy:
      'Use a host of your SSH configuration, or user@host: letters, digits and . _ - @ : %, not beginning with a hyphen. Ports, keys and jump hosts belong into ~/.ssh/config.',
  });
}

/** The hosts of the setting `unimiss.machines`, each once, and what is wrong with the others. */
export function hostsOf(setting: unknown): { hosts: string[]; problems: UnimissError[] } {
  const hosts = new Set<string>();
  const problems: UnimissError[] = [];
  for (const host of Array.isArray(setting) ? setting : []) {
    try {
      hosts.add(checkHost(host));
    } catch (error) {
      if (!(error instanceof UnimissError)) throw error;
      problems.push(error);
    }
  }
  return { hosts: [...hosts], problems };
}

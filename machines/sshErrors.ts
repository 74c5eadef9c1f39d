import { UnimissError } from '../protocol/errors.ts';
import { printable } from '../protocol/printable.ts';

/** Reasons for which `ssh` gives up, by what it writes: what is wrong, and what helps. */
const reasons: readonly { says: RegExp; what: string; remedy: string; passing?: true }[] = [
  {
    says: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    what: 'its host key has changed since the last connection',
    remedy: 'Ask who runs the machine whether that is right; if so, remove the old key with `ssh-keygen -R HOST`.',
  },
  {
    says: /Host key verification failed|No .* host key is known/,
    what: 'its host key is not known, or was not accepted',
    remedy: 'Connect by "UniMiSS: Connect Machine", or run `ssh HOST` in a terminal, and compare the fingerprint.',
  },
  {
    says: /Permission denied|Too many authentication failures|No supported authentication methods/,
    what: 'it did not accept your key or password',
    remedy:
      '`ssh HOST` in a terminal must work: add your key with `ssh-copy-id HOST`, or start the agent that holds it.',
  },
  {
    says: /Could not resolve hostname|Name or service not known|nodename nor servname/,
    what: 'no machine of this name was found',
    remedy: 'Check the name in ~/.ssh/config, the network, and the VPN.',
    passing: true,
  },
  {
    says: /Connection refused|No route to host|Network is unreachable|timed out|Connection closed|Connection reset|kex_exchange|Broken pipe|not responding/i,
    what: 'it cannot be reached',
    remedy: 'Check that it is on, the network, and the VPN. Runs there continue without a connection.',
    passing: true,
  },
];

/** A failure of `ssh` that a later attempt may not have: the machine is off, the network is gone. */
export class Unreachable extends UnimissError {}

/** Why `ssh` to a host failed. @param stderr what it wrote on standard error */
export function sshError(host: string, stderr: string, code: number | null): UnimissError {
  const said = printable(stderr.trim()).split('\n').slice(-6).join('\n  ');
  const known = reasons.find(({ says }) => says.test(stderr));
  const what = known?.what ?? `ssh ended with ${code === null ? 'a signal' : `code ${code}`}`;
  const remedy = [known?.remedy.replaceAll('HOST', host), said && `ssh said:\n  ${said}`].filter(Boolean).join('\n  ');
  const Kind = known && !known.passing ? UnimissError : Unreachable;
  return new Kind('daemon', what, { place: host, ...(remedy && { remedy }) });
}

/** `ssh` itself could not be started. */
export function noSsh(file: string, cause: unknown): UnimissError {
  return new UnimissError('daemon', `cannot be started (${cause instanceof Error ? cause.message : String(cause)})`, {
    place: file,
    remedy: 'Install OpenSSH, or name another program in UNIMISS_SSH.',
    cause,
  });
}

import type { WheelPin } from '../../../protocol/engine/release.ts';
import { UnimissError } from '../../../protocol/errors.ts';

const elsewhere =
  'without a network, download the wheel elsewhere and set PIP_FIND_LINKS to its folder, ' +
  'or use an installed TensorFlow (UNIMISS_TENSORFLOW=folder)';

/**
 * Causes of a failed download in pip's output, the most specific first: a failed connection also ends in "no matching
 * distribution".
 */
const causes: { pattern: RegExp; code: 'engine' | 'disk'; what(wheel: string): string; remedy: string }[] = [
  {
    pattern: /no space left on device|errno 28\b|errno 122\b|disk quota exceeded/i,
    code: 'disk',
    what: (wheel) => `The disk is full: pip could not store ${wheel}`,
    remedy: "Free some space (pip's own cache: `pip cache purge`), or set UNIMISS_CACHE to a folder on another disk.",
  },
  {
    pattern: /read-only file system|permission denied/i,
    code: 'disk',
    what: (wheel) => `pip has no permission to write ${wheel}`,
    remedy: 'Grant write permission, or set UNIMISS_CACHE to a writable folder.',
  },
  {
    pattern: /do not match the hashes|hashes are required|hash mismatch/i,
    code: 'engine',
    what: (wheel) => `The package index returned an unexpected file for ${wheel} (SHA-256 differs)`,
    remedy: 'Nothing was installed. Ask the owner of the mirror or proxy that pip uses, or use another one.',
  },
  {
    pattern: /certificate_verify_failed|sslerror|ssl error/i,
    code: 'engine',
    what: (wheel) => `pip does not trust the certificate of the package index for ${wheel}`,
    remedy: "Give pip your network's certificate (`pip config set global.cert FILE`), or ask your administrator.",
  },
  {
    pattern:
      /retrying \(|connection ?error|connectionerror|newconnection|name resolution|network is unreachable|proxyerror|time(d)? ?out|connection (reset|refused|aborted|broken)|incompleteread/i,
    code: 'engine',
    what: (wheel) => `pip cannot reach a package index to download ${wheel}`,
    remedy: `Check the network and pip's proxy (\`pip config list\`), then try again; ${elsewhere}.`,
  },
  {
    pattern: /no matching distribution|could not find a version/i,
    code: 'engine',
    what: (wheel) => `The package index that pip uses has no ${wheel}`,
    remedy: `Use an index that has it (\`pip config list\` shows yours); ${elsewhere}.`,
  },
];

/** The error for a failed download, from pip's output; it includes pip's last lines. */
export function explainPip(output: string, wheel: WheelPin): UnimissError {
  const words = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-3)
    .join(' / ');
  const name = `${wheel.name} ${wheel.version}`;
  const known = causes.find(({ pattern }) => pattern.test(output));
  const said = words ? ` pip said: ${words}` : '';
  return known
    ? new UnimissError(known.code, known.what(name), { remedy: known.remedy + said })
    : new UnimissError('engine', `pip could not download ${name}`, {
        remedy: `Try \`python3 -m pip download --no-deps ${wheel.name}==${wheel.version}\` yourself.${said}`,
      });
}

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the shell fills them in
import { UnimissError } from '../protocol/errors.ts';

/**
 * What runs on other machines: single lines of POSIX shell. Nothing that a machine answered becomes part of them; they name only
 * our version and sums, which are checked here, and find paths there by variables, in quotes.
 */

/** The last line of what login scripts print; behind it comes ours alone. */
export const mark = 'unimiss: here it begins';

/** Exit codes of the scripts. */
export const exits = { noDaemon: 90, noNode: 91, damaged: 92 } as const;

/** Node's oldest version: `engines` in package.json. */
const nodeFits = 'const[a,b]=process.versions.node.split(/[.]/).map(Number);process.exit(a>20||a==20&&b>=19?0:1)';

const base = 'u="${XDG_DATA_HOME:-$HOME/.local/share}/unimiss"';

/** Sets `n` to a Node that is new enough, ours first; empty if there is none. Version managers are not on the PATH of `ssh`. */
const findNode = [
  'n=""',
  'for c in "$u"/node/*/bin/node "$(command -v node)" "$HOME"/.nvm/versions/node/*/bin/node "$HOME"/.volta/bin/node "$HOME"/.local/bin/node /usr/local/bin/node',
  `do if [ -z "$n" ] && [ -x "$c" ] && "$c" -e "${nodeFits}" 2>/dev/null`,
  'then n="$c"',
  'fi',
  'done',
].join('; ');

/** Sets `d` to the daemon of a version, which must be there with its Node. */
function findDaemon(version: string): string[] {
  return [
    ...[base, `d="$u/daemon/${checkName(version)}"`],
    `[ -f "$d/main.js" ] || exit ${exits.noDaemon}`,
    `[ -x "$d/node" ] || exit ${exits.noNode}`,
  ];
}

/** Joins its standard streams to the daemon of a version. */
export function connectScript(version: string): string {
  return [...findDaemon(version), `echo "${mark}"`, 'exec "$d/node" "$d/main.js" connect'].join('; ');
}

/**
 * Runs a command of `unimiss` with the daemon of a version.
 * @param command as `encodeCommand` writes it
 * @param terminal it has one, which shows everything; else the mark stands before its output
 */
export function commandScript(version: string, command: string, terminal: boolean): string {
  if (!/^[A-Za-z0-9_-]*$/.test(command)) throw new UnimissError('internal', 'a command that is not encoded');
  return [
    ...findDaemon(version),
    ...(terminal ? [] : [`echo "${mark}"`]),
    `exec "$d/node" "$d/main.js" there ${command}`,
  ].join('; ');
}

/** Prints what is needed to know before anything is copied, as lines of `name=value`. Changes nothing. */
export function probeScript(): string {
  return [
    ...[base, findNode],
    `echo "${mark}"`,
    'echo "system=$(uname -s)"',
    'echo "processor=$(uname -m)"',
    'echo "glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null)"',
    'echo "node=$n"',
    'p="$u"',
    'until [ -z "$p" ] || [ -d "$p" ]; do p="${p%/*}"; done',
    'echo "free=$(df -Pk "${p:-/}" | tail -n 1)"',
    'echo "gpus=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 16 | tr "|" " " | tr "\\012" "|")"',
  ].join('; ');
}

/**
 * Receives an archive on standard input and unpacks it under a temporary name, which is renamed when everything is there. Whatever
 * happens meanwhile, nothing half-written stays.
 * @param folder below our folder on the machine: `daemon/VERSION`, `node/VERSION`
 * @param sha256 of the archive, hexadecimal
 * @param before what else must hold for the folder `$t/new`, each a command
 */
export function receiveScript(folder: string, sha256: string, before: readonly string[] = []): string {
  const [kind = '', name = ''] = folder.split('/').map(checkName);
  return [
    'set -e',
    'umask 077',
    base,
    `b="$u/${kind}"`,
    'mkdir -p "$b"',
    `t="$b/.${name}.$$"`,
    `trap 'rm -rf "$t"' EXIT`,
    `trap 'exit 1' HUP INT TERM`,
    'mkdir "$t" "$t/new"',
    'cat > "$t/archive"',
    's="$(sha256sum < "$t/archive")"',
    `case "$s" in "${checkName(sha256)} "*) ;; *) exit ${exits.damaged} ;; esac`,
    'tar -xzf "$t/archive" -C "$t/new"',
    'rm "$t/archive"',
    ...before,
    `if [ -e "$b/${name}" ]; then mv "$b/${name}" "$t/old"; fi`,
    `mv "$t/new" "$b/${name}"`,
    `echo "${mark}"`,
  ].join('; ');
}

/**
 * Receives a wheel on standard input, and puts it where an installation of TensorFlow looks for wheels that are complete
 * (daemon/engine/install): whole or not at all.
 * @param folder of the build in the cache: VERSION-DEVICE
 */
export function wheelScript({ folder, wheel }: { folder: string; wheel: { name: string; sha256: string } }): string {
  const name = checkName(wheel.name);
  return [
    'set -e',
    'umask 077',
    // As protocol/cacheFolder.ts.
    'case "$XDG_CACHE_HOME" in /*) x="$XDG_CACHE_HOME" ;; *) x="$HOME/.cache" ;; esac',
    `e="\${UNIMISS_CACHE:-$x/unimiss}/engine/${checkName(folder)}.partial"`,
    'mkdir -p "$e"',
    `t="$e/.${name}.$$"`,
    `trap 'rm -f "$t"' EXIT`,
    `trap 'exit 1' HUP INT TERM`,
    'cat > "$t"',
    's="$(sha256sum < "$t")"',
    `case "$s" in "${checkName(wheel.sha256)} "*) ;; *) exit ${exits.damaged} ;; esac`,
    `mv "$t" "$e/${name}.whl"`,
    `echo "${mark}"`,
  ].join('; ');
}

/** Lets a daemon's folder know the Node that runs it. */
export const linkNode: readonly string[] = [
  findNode,
  `[ -n "$n" ] || exit ${exits.noNode}`,
  'ln -s "$n" "$t/new/node"',
];

function checkName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9.+-]*$/.test(name)) return name;
  throw new UnimissError('internal', `${JSON.stringify(name)} cannot be part of a command`);
}

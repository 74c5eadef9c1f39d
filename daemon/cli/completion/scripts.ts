import type { CommandWords, Kind } from './words.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A script that completes the words of `unimiss` in a shell. It calls nothing, so that completing is quick. */
export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  if (shell === 'fish') return fish(commands);
  const script = bash(commands);
  return shell === 'bash' ? script : `${zshStart}${script}`;
}

/** Completion of bash in zsh, which needs zsh's own; a start file may have begun that. */
const zshStart = `(( $+functions[compdef] )) || { autoload -U +X compinit && compinit -i; }
autoload -U +X bashcompinit && bashcompinit
`;

/** Names of runs, one a line. A run may be anywhere; those in the usual folder are offered. */
const runsInBash = `command ls -1 "\${UNIMISS_RUNS:-$HOME/unimiss-runs}" 2>/dev/null`;

function bash(commands: readonly CommandWords[]): string {
  const paths = commands.filter(({ path }) => path.length > 0).map(({ path }) => path.join(' '));
  return `# unimiss completion: add this to the start file of your shell, or source it.
_unimiss_complete() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="" given=0 skip="" i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    case "\${command:+$command }$word" in
${paths.map((path) => `      ${quoted(path)}) command=${quoted(path)}; given=0; continue ;;`).join('\n')}
    esac
    if [[ "$word" == -* ]]; then
      case "$command:$word" in
${lines(commands, (c) => withValue(c).map(({ flags }) => `        ${patterns(c, flags)}) skip=1 ;;`))}
      esac
    else
      given=$((given + 1))
    fi
  done
  local offered="" kind="" # not "words", which zsh itself uses
  case "$command:$previous" in
${lines(commands, (c) => withValue(c).map(({ flags, value }) => `    ${patterns(c, flags)}) ${offer(value)} ;;`))}
    *)
      if [[ "$current" == -* ]]; then
        kind=words
        case "$command" in
${lines(commands, (c) => [`          ${quoted(c.path.join(' '))}) offered=${quoted(c.options.flatMap(({ flags }) => flags).join(' '))} ;;`])}
        esac
      else
        case "$command:$given" in
${lines(commands, (c) => [
  ...(c.subcommands.length > 0 ? [`          ${quoted(`${c.path.join(' ')}:0`)}) ${offer(c.subcommands)} ;;`] : []),
  ...c.arguments.map((argument, n) => `          ${quoted(`${c.path.join(' ')}:${n}`)}) ${offer(argument)} ;;`),
])}
          *) kind=file ;;
        esac
      fi ;;
  esac
  case "$kind" in
    words) COMPREPLY=($(compgen -W "$offered" -- "$current")) ;;
    run) COMPREPLY=($(compgen -W "$(${runsInBash})" -- "$current") $(compgen -f -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _unimiss_complete unimiss
`;
}

const withValue = ({ options }: CommandWords) => options.filter(({ value }) => value !== undefined);

const patterns = ({ path }: CommandWords, flags: readonly string[]) =>
  flags.map((flag) => quoted(`${path.join(' ')}:${flag}`)).join('|');

function lines(commands: readonly CommandWords[], of: (command: CommandWords) => readonly string[]): string {
  return commands.flatMap(of).join('\n');
}

function offer(kind: Kind | undefined): string {
  return typeof kind === 'object' ? `kind=words; offered=${quoted(kind.join(' '))}` : `kind=${kind ?? 'file'}`;
}

function fish(commands: readonly CommandWords[]): string {
  const runs = `(command ls -1 (test -n "$UNIMISS_RUNS"; and echo $UNIMISS_RUNS; or echo ~/unimiss-runs) 2>/dev/null)`;
  const values = (kind: Kind | undefined) =>
    kind === undefined ? '' : kind === 'file' ? ' -r -F' : ` -x -a ${quoted(kind === 'run' ? runs : kind.join(' '))}`;
  const about = new Map(commands.map(({ path, about }) => [path.join(' '), about]));
  const lines = commands.flatMap(({ path, subcommands, options, arguments: args }) => {
    const [name, sub] = path;
    const on =
      name === undefined
        ? '__fish_use_subcommand'
        : sub === undefined
          ? `__fish_seen_subcommand_from ${name}`
          : `__fish_seen_subcommand_from ${name}; and __fish_seen_subcommand_from ${sub}`;
    const line = (rest: string) => `complete -c unimiss -n ${quoted(on)} ${rest}`;
    const [first] = args;
    return [
      ...subcommands.map((one) => line(`-f -a ${one} -d ${quoted(about.get([...path, one].join(' ')) ?? '')}`)),
      ...options.map(({ flags, about: text, value }) => {
        const words = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
        return line(`${words.join(' ')}${values(value)} -d ${quoted(text)}`);
      }),
      ...(first === undefined || first === 'file'
        ? []
        : [line(`-f -a ${quoted(first === 'run' ? runs : first.join(' '))}`)]),
    ];
  });
  return `# unimiss completion: save this as ~/.config/fish/completions/unimiss.fish\n${lines.join('\n')}\n`;
}

/** A word for the shell, in single quotes. fish reads \\' in them, bash does not. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

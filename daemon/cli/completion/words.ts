import type { Argument, Command, Option } from 'commander';

/** What a word of the command line stands for: one of some words, a run, or a file. */
export type Kind = readonly string[] | 'run' | 'file';

/** An option with the words that it has: `--out`, `-o`. */
export interface OptionWords {
  readonly flags: readonly string[];
  readonly about: string;
  /** What follows it; undefined: nothing. */
  readonly value: Kind | undefined;
}

/** What can follow a command. */
export interface CommandWords {
  /** Its names below the program: `[]` for the program, `['daemon', 'status']`. */
  readonly path: readonly string[];
  readonly about: string;
  readonly subcommands: readonly string[];
  readonly options: readonly OptionWords[];
  /** Its arguments, in their order. */
  readonly arguments: readonly Kind[];
}

/** All commands that the help lists, with all that can follow each; the program first. */
export function wordsOf(program: Command): CommandWords[] {
  const help = program.createHelp();
  const shared = help.visibleOptions(program).filter(({ long }) => long !== '--version');
  const below = (command: Command, path: readonly string[]): CommandWords[] => {
    const subcommands = help.visibleCommands(command);
    const own = help.visibleOptions(command);
    const options =
      path.length === 0 ? own : [...own, ...shared.filter((one) => !own.some(({ long }) => long === one.long))];
    return [
      {
        path,
        about: firstSentence(command.description()),
        subcommands: subcommands.map((one) => one.name()),
        options: options.map(optionWords),
        arguments: command.registeredArguments.map(argumentKind),
      },
      ...subcommands.flatMap((one) => below(one, [...path, one.name()])),
    ];
  };
  return below(program, []);
}

function optionWords({ short, long, description, required, optional, argChoices }: Option): OptionWords {
  const takes = required || optional;
  return {
    flags: [long, short].filter((flag) => flag !== undefined),
    about: firstSentence(description),
    value: takes ? (argChoices ?? (long === '--from' || long === '--against' ? 'run' : 'file')) : undefined,
  };
}

function argumentKind(argument: Argument): Kind {
  return argument.argChoices ?? (/^runs?$/.test(argument.name()) ? 'run' : 'file');
}

/** `Train a run. It …` → `Train a run` */
function firstSentence(text: string): string {
  return /^.*?(?=\.(\s|$)|$)/s.exec(text)?.[0].replace(/\s+/g, ' ') ?? '';
}

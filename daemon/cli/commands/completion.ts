import { Argument, Command } from 'commander';
import { completionScript, type Shell, shells } from '../completion/scripts.ts';
import { wordsOf } from '../completion/words.ts';

/** `unimiss completion bash | zsh | fish` */
export function completionCommand(): Command {
  return new Command('completion')
    .description('Print a script that completes commands, options and names of runs in your shell.')
    .addArgument(new Argument('<shell>', 'your shell').choices(shells))
    .addHelpText(
      'after',
      `
To use it:
  bash  echo 'source <(unimiss completion bash)' >> ~/.bashrc
  zsh   echo 'source <(unimiss completion zsh)' >> ~/.zshrc
  fish  unimiss completion fish > ~/.config/fish/completions/unimiss.fish`,
    )
    .action((shell: Shell, _: unknown, self: Command) => {
      let program = self;
      while (program.parent) program = program.parent;
      process.stdout.write(completionScript(shell, wordsOf(program)));
    });
}

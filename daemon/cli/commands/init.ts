import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { makeConfig } from '../../../protocol/config/makeConfig.ts';
import { presetNames } from '../../../protocol/config/pretrain/presets.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';

/** `unimiss init FOLDER > my.unimiss.jsonc` */
export function initCommand(tasks: readonly Task[] = productTasks): Command {
  const kinds = kindsOf(tasks);
  const command = new Command('init')
    .description('Print a configuration file to start from. It holds the settings that matter, each with a comment.')
    .argument('[paths...]', 'folders with your images')
    .addOption(new Option('--preset <preset>', 'size of the network').choices(presetNames).default('tiny'))
    .addHelpText('after', '\nExample:\n  unimiss init ~/ct ~/xray > my.unimiss.jsonc');
  // With one kind there is nothing to choose.
  if (kinds.length > 1)
    command.addOption(new Option('--task <task>', 'kind of run').choices(kinds.map(({ task }) => task)));
  return command.action((given: string[], { preset, task }: { preset: string; task?: string }, self: Command) => {
    const reporter = Reporter.of(self);
    for (const folder of given)
      if (!existsSync(folder))
        reporter.notice(
          `Warning: ${folder} does not exist. Correct the path in the configuration, or create the folder.`,
        );
    const folders = given.length > 0 ? given : ['path/to/images'];
    const name = given.length > 0 ? {} : { name: task ?? kinds[0]?.task };
    process.stdout.write(makeConfig({ task, folders, preset, ...name }, kinds));
  });
}

import { Command, Option } from 'commander';
import { makeConfig } from '../../../protocol/config/makeConfig.ts';
import { presetNames } from '../../../protocol/config/pretrain/presets.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';

/** `unimiss init FOLDER > my.unimiss.jsonc` */
export function initCommand(tasks: readonly Task[] = productTasks): Command {
  const kinds = kindsOf(tasks);
  const command = new Command('init')
    .description('Print a configuration file to start from. It holds the settings that matter, each with a comment.')
    .argument('[paths...]', 'folders with your images', ['path/to/images'])
    .addOption(new Option('--preset <preset>', 'size of the network').choices(presetNames).default('tiny'))
    .addHelpText('after', '\nExample:\n  unimiss init ~/ct ~/xray > my.unimiss.jsonc');
  // With one kind there is nothing to choose.
  if (kinds.length > 1)
    command.addOption(new Option('--task <task>', 'kind of run').choices(kinds.map(({ task }) => task)));
  return command.action((folders: string[], { preset, task }: { preset: string; task?: string }) => {
    process.stdout.write(makeConfig({ task, folders, preset }, kinds));
  });
}

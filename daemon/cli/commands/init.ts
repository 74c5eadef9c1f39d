import { Command, Option } from 'commander';
import { applyEdits, modify } from 'jsonc-parser';
import { presetNames } from '../../../protocol/config/pretrain/presets.ts';
import { pretrainTemplate } from '../../../protocol/config/pretrain/template.ts';

/** `unimiss init FOLDER > my.unimiss.jsonc` */
export function initCommand(): Command {
  return new Command('init')
    .description('Print a configuration file to start from. It holds the settings that matter, each with a comment.')
    .argument('[paths...]', 'folders with your images', ['path/to/images'])
    .addOption(new Option('--preset <preset>', 'size of the network').choices(presetNames).default('tiny'))
    .addHelpText('after', '\nExample:\n  unimiss init ~/ct ~/xray > my.unimiss.jsonc')
    .action((paths: string[], { preset }: { preset: string }) => {
      const set = (text: string, path: string[], value: unknown) =>
        applyEdits(text, modify(text, path, value, { formattingOptions: { insertSpaces: true, tabSize: 2 } }));
      const text = set(set(pretrainTemplate, ['data', 'paths'], paths), ['model', 'preset'], preset);
      process.stdout.write(text);
    });
}

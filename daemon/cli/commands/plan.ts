import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { highestVolume } from '../../../protocol/config/shared.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { thisMachine } from '../../data/datasets/labelled/plan/machine.ts';
import { planDataset } from '../../data/datasets/labelled/plan/planDataset.ts';
import { count, describeData, findingLines } from '../../data/datasets/labelled/plan/words.ts';
import { datasetPresets } from '../../data/datasets/labelled/presets/index.ts';
import { type Layout, layoutNames } from '../../data/datasets/labelled/types.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { exitCodes } from '../terminal/exitCodes.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { Reporter } from '../terminal/reporter.ts';
import { wholeNumber } from '../terminal/wholeNumber.ts';

interface PlanCommandOptions {
  readonly out?: string;
  readonly folds: number;
  readonly seed: number;
  readonly layout?: Layout;
  readonly volume?: number;
  readonly preset?: string;
}

/** `unimiss plan DATASET > liver.unimiss.jsonc` */
export function planCommand(): Command {
  return new Command('plan')
    .description(
      'Check a labelled data set and print a configuration for fine-tuning on it. Problems go to standard error, each with a file and a remedy.',
    )
    .argument('<dataset>', 'folder of the data set, or its CSV or TSV table')
    .option('-o, --out <file>', 'write the configuration to a file, which must not exist yet')
    .addOption(new Option('--folds <n>', 'folds of the cross-validation').argParser(wholeNumber(2, 100)).default(5))
    .addOption(
      new Option('--seed <n>', 'seed of the division into folds').argParser(wholeNumber(0, 2 ** 32 - 1)).default(0),
    )
    .addOption(new Option('--layout <layout>', 'how the files are arranged (default: detected)').choices(layoutNames))
    .addOption(
      new Option('--volume <n>', 'the volume to take from files with several (4-D), from 0').argParser(
        wholeNumber(0, highestVolume),
      ),
    )
    .addOption(
      new Option('--preset <name>', 'settings of a public data set').choices(datasetPresets.map(({ name }) => name)),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  unimiss plan ~/data/liver > liver.unimiss.jsonc\n  unimiss plan ~/data/bcv --preset bcv --out bcv.unimiss.jsonc\n\nExit code 4 if the data set has errors; the configuration is written nevertheless.',
    )
    .action(async (path: string, options: PlanCommandOptions, command: Command) => {
      const reporter = Reporter.of(command);
      const { out, folds, seed, layout, volume } = options;
      // Whoever changed a configuration keeps it, and is told before images are read.
      if (out !== undefined && existsSync(resolve(out)))
        throw new UnimissError('disk', 'exists already, and may hold your changes', {
          place: out,
          remedy: 'Choose another name for the configuration (--out), or remove this file.',
        });
      const preset = datasetPresets.find(({ name }) => name === options.preset);
      const planned = await planDataset(path, {
        machine: thisMachine(),
        folds,
        seed,
        ...(layout && { layout }),
        ...(volume !== undefined && { volume }),
        ...(preset && { preset }),
        signal: interruptSignal('Ended at once. No configuration was written.'),
        onProgress: (done, total) =>
          reporter.progress(`Reading the data set: ${done} of ${total} files`, done === total),
      });
      const { dataset, fingerprint, plan, findings, config } = planned;
      parseConfig(config, out ?? 'the planned configuration');
      reporter.notice(describeData(dataset, fingerprint));
      for (const line of findingLines(findings)) reporter.notice(line);
      const errors = findings.filter(({ severity }) => severity === 'error').length;
      const warnings = findings.length - errors;
      reporter.notice(
        findings.length === 0 ? 'No problems found.' : `${count(errors, 'error')}, ${count(warnings, 'warning')}.`,
      );
      if (plan.tight)
        reporter.notice('This machine has little memory for this task: even the smallest patch may not fit.');
      if (out !== undefined) {
        await writeTextAtomically(resolve(out), config);
        reporter.notice(`The configuration is in ${out}. Change what you like, then: unimiss finetune ${out}`);
      } else if (!reporter.json) process.stdout.write(config);
      const { split } = planned;
      reporter.record({ fingerprint, plan, split, findings, config });
      if (errors > 0) process.exitCode = exitCodes.data.code;
    });
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { twinFields } from '../../../protocol/config/finetune/twin.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { inside, runsRoot } from '../../runs/folder/root.ts';
import type { Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';
import { askedRoot } from '../viaDaemon/connection.ts';
import { prepared, readConfig, startRuns, type TrainingOptions, trainingCommand, trainingHelp } from './startRuns.ts';

interface FinetuneOptions extends TrainingOptions {
  from?: string;
  epochs?: string;
  hours?: string;
  fromScratchTwin?: boolean;
}

/** `unimiss finetune CONFIG` */
export function finetuneCommand(tasks: readonly Task[] = productTasks): Command {
  return trainingCommand('finetune')
    .description('Fine-tune a pre-trained network on labelled images: segmentation or classification, 2D or 3D.')
    .argument('<config>', 'a *.unimiss.jsonc file, as `unimiss plan` writes it')
    .option('--from <run|file>', 'start from a run, or from a .safetensors or .pth file (default: start.from)')
    .option('--epochs <number>', 'number of epochs (default: train.epochs)')
    .addOption(new Option('--hours <number>', 'train for this many hours instead').conflicts('epochs'))
    .option('--from-scratch-twin', 'queue the same run without pre-trained weights too, for comparison')
    .addHelpText(
      'after',
      `
Examples:
  unimiss finetune liver.unimiss.jsonc --from pretrain-20260701-120000
  unimiss finetune liver.unimiss.jsonc --from weights.pth --epochs 50 --from-scratch-twin
${trainingHelp}`,
    )
    .action(async (path: string, options: FinetuneOptions, command: Command) => {
      const reporter = Reporter.of(command);
      const around = { tasks, reporter, only: 'finetune' };
      const text = await readConfig(path);
      const settings = [
        ...(options.set ?? []),
        ...(options.from === undefined ? [] : [setting('start.from', weightsPath(options.from, options.runs))]),
        ...(options.epochs === undefined ? [] : [`train.epochs=${options.epochs}`]),
        ...(options.hours === undefined ? [] : [`train.hours=${options.hours}`]),
      ];
      const first = prepared(text, settings, around);
      if (!options.fromScratchTwin) return startRuns([first], options, around);
      const { config } = first;
      const { name } = config;
      if (config.task === 'finetune' && config.start.from === null)
        throw new UnimissError('config', 'names no weights, so the run and its twin from scratch would be the same', {
          place: path,
          remedy: 'Choose the weights with --from or start.from, or leave out --from-scratch-twin.',
        });
      const twin = (id: string) =>
        prepared(
          first,
          twinFields({ id, name }).map(([field, value]) => setting(field, value)),
          around,
        );
      twin('checked'); // before the first run begins
      await startRuns([first, ({ id }) => twin(id)], options, around);
    });
}

function setting(field: string, value: unknown): string {
  return `${field}=${JSON.stringify(value)}`;
}

/** A file or folder, else a run by its name. @throws UnimissError 'checkpoint' where there is neither */
function weightsPath(from: string, runs: string | undefined): string {
  const path = resolve(from);
  if (existsSync(path)) return path;
  const run = /[/\\]/.test(from) ? undefined : inside(askedRoot(runs) ?? runsRoot(), from);
  if (run !== undefined && existsSync(run)) return run;
  throw new UnimissError('checkpoint', 'there is no such run or file', {
    place: from,
    remedy: '`unimiss runs` lists the runs.',
  });
}

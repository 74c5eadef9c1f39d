import { Command, Option } from 'commander';
import { exportRun } from '../../runs/export/exportRun.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';
import { askedRoot } from '../viaDaemon/connection.ts';
import { findRun } from '../viaDaemon/findRun.ts';

interface Options {
  out: string;
  network: 'student' | 'teacher';
  checkpoint?: 'best' | 'last';
  runs?: string;
}

/** `unimiss export RUN -o DIR` */
export function exportCommand(tasks: readonly Task[] = productTasks): Command {
  return new Command('export')
    .description(
      'Write the weights of a run for others: model.safetensors with the names of the reference implementation, a plan for adapting them, a model card, and a snippet that loads them in PyTorch.',
    )
    .argument('<run>', 'name or folder of the run')
    .requiredOption('-o, --out <folder>', 'new folder for the export')
    .addOption(
      new Option('--network <network>', 'network of a pre-training run')
        .choices(['student', 'teacher'])
        .default('student'),
    )
    .addOption(
      new Option(
        '--checkpoint <which>',
        'checkpoint to use (default: last of a pre-training run, best of a fine-tuning run)',
      ).choices(['best', 'last']),
    )
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .addHelpText('after', '\nExample:\n  unimiss export my-run -o my-model\n  python my-model/load.py')
    .action(async (name: string, { out, network, checkpoint, runs }: Options, command: Command) => {
      const reporter = Reporter.of(command);
      const run = await findRun(askedRoot(runs) ?? runsRoot(), name, kindsOf(tasks));
      const onNotice = (message: string) => reporter.notice(message);
      const { folder, plan, parameters } = await exportRun(run, out, { network, checkpoint, onNotice });
      reporter.line(`${folder}: ${plan.role} of ${plan.name} after ${plan.step} steps, ${parameters} parameters`);
      reporter.record({ folder, role: plan.role, step: plan.step, parameters });
    });
}

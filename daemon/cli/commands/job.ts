import { Command } from 'commander';
import { runJob } from '../../runs/jobs/job.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';

/** `unimiss job`: the daemon starts it for work other than training. Not listed in the help. */
export function jobCommand(tasks: readonly Task[] = productTasks): Command {
  return new Command('job').action(async () => {
    const { workerOf } = await import('../../runs/jobs/doJob.ts');
    process.exit(await runJob(workerOf(kindsOf(tasks))));
  });
}

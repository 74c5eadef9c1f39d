import { Command } from 'commander';
import { runJob } from '../../runs/jobs/job.ts';

/** `unimiss job`: the daemon starts it for work other than training. Not listed in the help. */
export function jobCommand(): Command {
  return new Command('job').action(async () => {
    const { doJob } = await import('../../runs/jobs/doJob.ts');
    process.exit(await runJob(doJob));
  });
}

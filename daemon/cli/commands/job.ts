import { Command } from 'commander';
import { runJob } from '../../runs/jobs/job.ts';

/** `unimiss job`: what the daemon starts for work that is no training. Not listed in the help. */
export function jobCommand(): Command {
  return new Command('job').action(async () => {
    const { doJob } = await import('../../runs/jobs/doJob.ts');
    process.exit(await runJob(doJob));
  });
}

import type { JobType } from '../../../protocol/jobs/jobRequest.ts';
import { type JobName, jobNames, jobTypes } from '../../../protocol/jobs/jobs.ts';
import { queueJob } from '../../runs/jobs/queueJob.ts';
import type { TrainerCommand } from '../../runs/supervise/command.ts';
import { devicesOf } from '../../runs/supervise/devicesOf.ts';
import { type Handler, handle } from '../wire/handler.ts';
import { absolute } from './absolute.ts';
import type { Services } from './services.ts';
import { WorkDone } from './workDone.ts';

/**
 * One handler per row of the table of jobs.
 * @param command starts the process for a job
 */
export function jobHandlers(services: Services, command: TrainerCommand): Handler[] {
  return jobNames.map((name) => jobHandler(name, jobTypes[name], services, command));
}

function jobHandler(
  name: JobName,
  { request, title, paths, result }: JobType,
  { registry, devices }: Services,
  command: TrainerCommand,
): Handler {
  return handle(request, async ({ workDoneToken, whenBusy, ...task }, { send, signal }) => {
    for (const [field, value] of Object.entries(task))
      if (paths.includes(field) && typeof value === 'string') absolute(value);
    const run = await registry.find(task.run);
    const progress = new WorkDone(send, workDoneToken);
    progress.begin(title);
    try {
      const answer = await queueJob(devices, command, {
        job: { name, task: { ...task, run: run.folder } },
        devices: devicesOf(run),
        who: `${name} of ${run.id}`,
        whenBusy,
        signal,
        onProgress: (what, done, total) => progress.report(what, done, total),
      });
      return result.parse(answer);
    } finally {
      progress.end();
    }
  });
}

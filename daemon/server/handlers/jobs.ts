import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { JobType } from '../../../protocol/jobs/jobRequest.ts';
import { type JobName, jobNames, jobTypes } from '../../../protocol/jobs/jobs.ts';
import { KeptJobs } from '../../runs/jobs/keptJobs.ts';
import { queueJob } from '../../runs/jobs/queueJob.ts';
import type { TrainerCommand } from '../../runs/supervise/command.ts';
import { type Handler, handle } from '../wire/handler.ts';
import { absolute } from './absolute.ts';
import { jobPlace } from './jobPlace.ts';
import type { Services } from './services.ts';
import { WorkDone } from './workDone.ts';

/**
 * One handler per row of the table of jobs.
 * @param command starts the process for a job
 */
export function jobHandlers(services: Services, command: TrainerCommand): Handler[] {
  const kept = new KeptJobs(services.devices);
  return jobNames.map((name) => jobHandler(name, jobTypes[name], services, { command, kept }));
}

function jobHandler(
  name: JobName,
  type: JobType,
  { registry, devices: ledger }: Services,
  { command, kept }: { readonly command: TrainerCommand; readonly kept: KeptJobs },
): Handler {
  const { request, title, paths, result, runs = [], temporary = [] } = type;
  /** The folders of a list of runs. */
  const foldersOf = async (field: string, task: object) => {
    const refs = (task as Readonly<Record<string, readonly string[] | undefined>>)[field] ?? [];
    const places = await Promise.all(refs.map((ref) => jobPlace(ref, type, registry)));
    return places.map(({ folder }) => folder);
  };
  return handle(request, async ({ workDoneToken, whenBusy, ...task }, { send, signal }) => {
    for (const [field, value] of Object.entries(task))
      if (paths.includes(field) && typeof value === 'string') absolute(value);
    const { folder, id, devices } = await jobPlace(task.run, type, registry);
    const others: Record<string, string[]> = {};
    for (const field of runs) others[field] = await foldersOf(field, task);
    const ms = 60_000 * ((task as { keepMinutes?: number }).keepMinutes ?? 0);
    const key = JSON.stringify([name, folder, others]);
    // What was there before is not the job's.
    const made = Object.entries(task).flatMap(([field, value]) =>
      temporary.includes(field) && typeof value === 'string' && !existsSync(value) ? [value] : [],
    );
    const progress = new WorkDone(send, workDoneToken);
    progress.begin(title);
    try {
      const answer = await queueJob(ledger, command, {
        job: { name, task: { ...task, ...others, run: folder } },
        devices,
        who: `${name} of ${id}`,
        whenBusy,
        signal,
        ...(ms > 0 && { keep: { key, ms, by: kept } }),
        onProgress: (what, done, total) => progress.report(what, done, total),
      });
      return result.parse(answer);
    } finally {
      progress.end();
      for (const file of made) await rm(file, { force: true });
    }
  });
}

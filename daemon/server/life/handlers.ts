import type { TrainerCommand } from '../../runs/supervise/command.ts';
import { checkpointHandlers } from '../handlers/checkpoints.ts';
import { engineHandlers } from '../handlers/engine.ts';
import { fileHandlers } from '../handlers/files.ts';
import { imageHandlers } from '../handlers/images.ts';
import { jobHandlers } from '../handlers/jobs.ts';
import { machineHandlers } from '../handlers/machine/machine.ts';
import { metricsHandlers } from '../handlers/metrics.ts';
import { planHandlers } from '../handlers/plan.ts';
import { recordHandlers } from '../handlers/records.ts';
import { runFileHandlers } from '../handlers/runFiles.ts';
import { runHandlers } from '../handlers/runs.ts';
import { ServedFiles } from '../handlers/servedFiles.ts';
import type { Services } from '../handlers/services.ts';
import { viewHandlers } from '../handlers/views.ts';
import type { Handler } from '../wire/handler.ts';

/**
 * What a daemon answers, by method.
 * @param own what is about the daemon itself
 * @param job starts the process for a job
 * @param report prints the report of the installation
 */
export function handlersOf(
  services: Services,
  {
    own,
    job,
    report,
  }: { readonly own: readonly Handler[]; readonly job: TrainerCommand; readonly report?: TrainerCommand | undefined },
): ReadonlyMap<string, Handler> {
  const served = new ServedFiles(services.registry);
  const all = [
    ...own,
    ...runHandlers(services),
    ...runFileHandlers(services),
    ...checkpointHandlers(services),
    ...viewHandlers(services),
    ...recordHandlers(services),
    ...metricsHandlers(services),
    ...jobHandlers(services, job),
    ...engineHandlers(services, report),
    ...machineHandlers(services),
    ...fileHandlers(served),
    ...imageHandlers(served),
    ...planHandlers(),
  ];
  return new Map(all.map((handler) => [handler.type.method, handler]));
}

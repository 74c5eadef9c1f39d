import type { WhenBusy } from '../../../protocol/jobs/jobRequest.ts';
import type { Job } from '../../../protocol/jobs/jobs.ts';
import type { TrainerCommand } from '../supervise/command.ts';
import type { DeviceLedger } from '../supervise/deviceLedger.ts';
import { JobProcess } from './jobProcess.ts';
import type { KeptJobs } from './keptJobs.ts';

export interface QueuedJob {
  job: Job;
  /** `cpu`, or `cuda:1`. */
  devices: readonly string[];
  /** The job's name in the ledger, for people. */
  who: string;
  whenBusy: WhenBusy;
  signal: AbortSignal;
  /** Lets its process stay for another job with the same key, at most for some time, ms. */
  keep?: { readonly key: string; readonly ms: number; readonly by: KeptJobs };
  /** Without amounts while the job waits for its device. */
  onProgress(what: string, done?: number, total?: number): void;
}

/**
 * Runs a job once its device is free.
 * @returns the result that its process reported
 * @throws UnimissError as `DeviceLedger.take` and `jobInProcess` do
 */
export async function queueJob(
  ledger: DeviceLedger,
  command: TrainerCommand,
  { job, devices, who, whenBusy, signal, keep, onProgress }: QueuedJob,
): Promise<unknown> {
  const onWaiting = (users: readonly string[]) =>
    onProgress(`Waiting for ${devices.join(', ')}${users.length > 0 ? `, in use by ${users.join(', ')}` : ''}`);
  const wanted = { devices, who, whenBusy, ...(keep && { reuses: keep.key }) };
  const claim = await ledger.take(wanted, { signal, onWaiting });
  try {
    signal.throwIfAborted();
    const process = keep?.by.take(keep.key) ?? new JobProcess(command);
    const result = await process.run({ ...job, ...(keep && { stays: true }) }, signal, onProgress);
    if (keep) keep.by.keep(keep.key, process, devices, keep.ms);
    return result;
  } finally {
    claim.release();
  }
}

import type { WhenBusy } from '../../../protocol/jobs/jobRequest.ts';
import type { Job } from '../../../protocol/jobs/jobs.ts';
import type { TrainerCommand } from '../supervise/command.ts';
import type { DeviceLedger } from '../supervise/deviceLedger.ts';
import { jobInProcess } from './jobProcess.ts';

export interface QueuedJob {
  job: Job;
  /** `cpu`, or `cuda:1`. */
  devices: readonly string[];
  /** The job's name in the ledger, for people. */
  who: string;
  whenBusy: WhenBusy;
  signal: AbortSignal;
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
  { job, devices, who, whenBusy, signal, onProgress }: QueuedJob,
): Promise<unknown> {
  const onWaiting = (users: readonly string[]) =>
    onProgress(`Waiting for ${devices.join(', ')}${users.length > 0 ? `, in use by ${users.join(', ')}` : ''}`);
  const claim = await ledger.take({ devices, who, whenBusy }, { signal, onWaiting });
  try {
    return await jobInProcess(command, job, signal, onProgress);
  } finally {
    claim.release();
  }
}

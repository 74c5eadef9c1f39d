import { type Command, Option } from 'commander';
import type { ParamsOf, RequestType, ResultOf } from '../../../protocol/daemon/rpc.ts';
import type { JobParams, WhenBusy } from '../../../protocol/jobs/jobRequest.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import type { OnJobProgress } from '../../runs/jobs/job.ts';
import type { Reporter } from '../terminal/reporter.ts';
import { askedRoot, foregroundOption, runReference, throughDaemon } from '../viaDaemon/connection.ts';
import { withProgress } from '../viaDaemon/progress.ts';

/** The options that all commands for jobs have. */
export interface JobOptions {
  runs?: string;
  foreground?: boolean;
  wait: boolean;
  now?: boolean;
}

/** Adds the options that all commands for jobs have. */
export function addJobOptions(command: Command): Command {
  return command
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .option('--no-wait', 'fail at once if the device is in use, and say by what (default: wait until it is free)')
    .addOption(new Option('--now', 'start at once, even if the device is in use, and share it').conflicts('wait'))
    .addOption(foregroundOption());
}

/** A job as the command line asks for it. */
export interface AskedJob<T extends RequestType> {
  readonly request: T;
  /** Name or folder of the run. */
  readonly run: string;
  /** All else that the job is told; paths are absolute. */
  readonly task: Omit<ParamsOf<T>, keyof JobParams>;
  readonly options: JobOptions;
  readonly reporter: Reporter;
  /** The job in this process. @param root folder of the runs */
  here(root: string, onProgress: OnJobProgress): Promise<ResultOf<T>>;
}

/** Lets the daemon do a job, or does it in this process with `--foreground`. Shows progress. */
export async function askForJob<T extends RequestType>({
  request,
  run,
  task,
  options: { runs, foreground, wait, now },
  reporter,
  here,
}: AskedJob<T>): Promise<ResultOf<T>> {
  const root = askedRoot(runs);
  if (foreground)
    return here(root ?? runsRoot(), (what, done, total) =>
      reporter.progress(`${what} (${done} of ${total})`, done === total),
    );
  const whenBusy: WhenBusy = now ? 'share' : wait ? 'wait' : 'refuse';
  return throughDaemon(reporter, (client) =>
    withProgress(client, reporter, (workDoneToken, cancel) => {
      const params = { ...task, run: runReference(run, root), whenBusy, workDoneToken };
      return client.call(request, params as ParamsOf<T>, cancel);
    }),
  );
}

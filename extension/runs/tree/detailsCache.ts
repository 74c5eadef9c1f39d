import { runDetails } from '../../../protocol/daemon/messages.ts';
import type { RunDetails } from '../../../protocol/runs/detailsMessages.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import type { DaemonClient } from '../../client/daemonClient.ts';

/** What runs have on the disk, as far as rows are expanded. Asked anew when a run begins an epoch or changes its state. */
export class DetailsCache {
  private readonly asked = new Map<string, { key: string; answer: Promise<RunDetails | undefined> }>();
  private readonly answered = new Map<string, RunDetails>();

  constructor(
    private readonly daemon: Pick<DaemonClient, 'request'>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Undefined if the daemon does not answer; that is logged, and the next call asks again. */
  of(run: RunInfo): Promise<RunDetails | undefined> {
    const key = keyOf(run);
    const known = this.asked.get(run.folder);
    if (known?.key === key) return known.answer;
    const answer = this.daemon.request(runDetails, { run: run.folder }).then(
      (details) => {
        this.answered.set(run.folder, details);
        return details;
      },
      (error) => {
        this.failed(error);
        this.forget(run.folder);
        return undefined;
      },
    );
    this.asked.set(run.folder, { key, answer });
    return answer;
  }

  /** What was answered last. */
  known({ folder }: Pick<RunInfo, 'folder'>): RunDetails | undefined {
    return this.answered.get(folder);
  }

  forget(folder: string): void {
    this.asked.delete(folder);
  }
}

function keyOf({ state, activity, epoch, progress }: RunInfo): string {
  return [state, activity, progress?.epoch ?? epoch].join(' ');
}

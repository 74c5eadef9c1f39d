import { type Disposable, EventEmitter } from 'vscode';
import { runsChanged, runsWatch } from '../../protocol/daemon/messages.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { DaemonClient } from '../client/daemonClient.ts';

/** Which runs changed: these, or all. */
export interface RunChange {
  before: ReadonlyMap<string, RunInfo>;
  /** Folders; undefined: the whole list. */
  folders: readonly string[] | undefined;
}

export interface UnreadableRun {
  folder: string;
  message: string;
}

/** The runs as the daemon last reported them. Keeps them while disconnected, and asks anew after each connection. */
export class RunStore implements Disposable {
  private byFolder = new Map<string, RunInfo>();
  private readonly changed = new EventEmitter<RunChange>();
  private readonly subscription: Disposable;
  /** The request for the list on the present connection. */
  private asking: Promise<void> | undefined;

  readonly onDidChange = this.changed.event;
  /** Folders that are runs but cannot be read. */
  problems: UnreadableRun[] = [];
  /** Whether the daemon has reported its runs. */
  known = false;

  constructor(
    private readonly daemon: DaemonClient,
    private readonly failed: (error: unknown) => void,
  ) {
    this.subscription = daemon.onDidConnect(() => {
      this.asking = this.watch();
      this.asking.catch(this.failed);
    });
  }

  /** Newest first. */
  get runs(): RunInfo[] {
    return [...this.byFolder.values()].sort((a, b) => b.created.localeCompare(a.created) || b.id.localeCompare(a.id));
  }

  get(folder: string): RunInfo | undefined {
    return this.byFolder.get(folder);
  }

  /** Resolves when the daemon has reported its runs. Throws UnimissError if it cannot be reached, or refuses. */
  async load(): Promise<void> {
    await this.daemon.connect();
    if (this.known) return;
    this.asking ??= this.watch();
    const { asking } = this;
    try {
      await asking;
    } catch (error) {
      if (this.asking === asking) this.asking = undefined; // the next call asks again
      throw error;
    }
  }

  /** Stores a run from the answer to a request, before the daemon's notification arrives. */
  put(run: RunInfo): void {
    this.replace(new Map(this.byFolder).set(run.folder, run), [run.folder]);
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }

  private async watch(): Promise<void> {
    await this.daemon.subscribe(
      runsWatch,
      {},
      ({ runs, problems }) => {
        this.problems = problems;
        this.known = true;
        this.replace(new Map(runs.map((run) => [run.folder, run])), undefined);
      },
      runsChanged,
      ({ runs, removed }) => {
        const next = new Map(this.byFolder);
        for (const run of runs) next.set(run.folder, run);
        for (const folder of removed) next.delete(folder);
        this.replace(next, [...runs.map((run) => run.folder), ...removed]);
      },
    );
  }

  private replace(next: Map<string, RunInfo>, folders: readonly string[] | undefined): void {
    const before = this.byFolder;
    this.byFolder = next;
    this.changed.fire({ before, folders });
  }
}

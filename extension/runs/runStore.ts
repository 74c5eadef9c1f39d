import { type Disposable, EventEmitter } from 'vscode';
import { runsChanged, runsWatch } from '../../protocol/daemon/messages.ts';
import { addressOf, parseAddress } from '../../protocol/machines/address.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { DaemonClient } from '../client/daemonClient.ts';
import { addressed } from '../machines/addressed.ts';

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

/**
 * The runs of this machine and of others, as their daemons last reported them. Keeps them while disconnected, and asks anew after
 * each connection. Runs of other machines are known by their addresses.
 */
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
    try {
      await this.daemon.connect();
    } catch (error) {
      if (this.byFolder.size > 0) return; // those of other machines; this one may have no daemon
      throw error;
    }
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

  /** Also keeps the runs of another machine, until disposed. */
  addMachine(machine: string, daemon: Pick<DaemonClient, 'onDidConnect' | 'subscribe'>): Disposable {
    const connected = daemon.onDidConnect(() => {
      this.watch(machine, daemon).catch(this.failed);
    });
    return {
      dispose: () => {
        connected.dispose();
        this.replaceAll(machine, [], []);
      },
    };
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }

  private async watch(
    machine: string | undefined = undefined,
    daemon: Pick<DaemonClient, 'subscribe'> = this.daemon,
  ): Promise<void> {
    await daemon.subscribe(
      runsWatch,
      {},
      ({ runs, problems }) => {
        if (machine === undefined) this.known = true;
        this.replaceAll(machine, runs, problems);
      },
      runsChanged,
      (change) => {
        const runs = change.runs.map((run) => addressed(machine, run));
        const removed = change.removed.map((folder) => addressOf(machine, folder));
        const next = new Map(this.byFolder);
        for (const run of runs) next.set(run.folder, run);
        for (const folder of removed) next.delete(folder);
        this.replace(next, [...runs.map((run) => run.folder), ...removed]);
      },
    );
  }

  /** The whole list of a machine; those of others stay. */
  private replaceAll(machine: string | undefined, runs: readonly RunInfo[], problems: readonly UnreadableRun[]): void {
    const elsewhere = ({ folder }: { folder: string }) => parseAddress(folder).machine !== machine;
    const own = problems.map((problem) => ({ ...problem, folder: addressOf(machine, problem.folder) }));
    this.problems = [...this.problems.filter(elsewhere), ...own];
    const all = [...[...this.byFolder.values()].filter(elsewhere), ...runs.map((run) => addressed(machine, run))];
    this.replace(new Map(all.map((run) => [run.folder, run])), undefined);
  }

  private replace(next: Map<string, RunInfo>, folders: readonly string[] | undefined): void {
    const before = this.byFolder;
    this.byFolder = next;
    this.changed.fire({ before, folders });
  }
}

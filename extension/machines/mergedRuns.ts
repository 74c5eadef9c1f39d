import { type Disposable, EventEmitter, l10n } from 'vscode';
import { metricsSubscribe, metricsUpdate } from '../../protocol/daemon/messages.ts';
import type { ParamsOf } from '../../protocol/daemon/rpc.ts';
import { addressOf, parseAddress } from '../../protocol/machines/address.ts';
import type { MetricsMessage, MetricsSnapshot } from '../../protocol/metrics/page.ts';
import type { DaemonClient, Subscription } from '../client/daemonClient.ts';
import type { MetricsDaemon } from '../metrics/metricsPanel.ts';

/** A daemon that has some of the runs. */
type PartDaemon = MetricsDaemon & { readonly state: Pick<DaemonClient['state'], 'kind'> };
type Options = Omit<ParamsOf<typeof metricsSubscribe>, 'runs' | 'after'>;

interface Part {
  readonly machine: string | undefined;
  readonly daemon: PartDaemon;
  /** Paths on its machine. */
  readonly runs: string[];
}

/**
 * The curves of runs on several machines as one source for a panel: a snapshot of all that can be reached, and then what each daemon
 * adds. Runs are known by their addresses. A new snapshot of one machine begins with new ones of all, since a panel's snapshot replaces
 * everything; so does a new connection.
 */
export class MergedRuns implements MetricsDaemon, Disposable {
  private readonly parts: Part[];
  private readonly connected = new EventEmitter<void>();
  private readonly listening: Disposable[];
  /** Of the last message, for all subscriptions of the panel. */
  private sequence = 0;

  readonly onDidConnect = this.connected.event;

  /** @param runs folders, or addresses */
  constructor(runs: readonly string[], daemonOf: (machine: string | undefined) => PartDaemon) {
    const machines = [...new Set(runs.map((run) => parseAddress(run).machine))];
    this.parts = machines.map((machine) => ({
      machine,
      daemon: daemonOf(machine),
      runs: runs.flatMap((run) => {
        const place = parseAddress(run);
        return place.machine === machine ? [place.path] : [];
      }),
    }));
    this.listening = this.parts.map(({ daemon }) => daemon.onDidConnect(() => this.connected.fire()));
  }

  /** A subscription begins with a snapshot, whatever the panel has seen. */
  subscribe: MetricsDaemon['subscribe'] = async (
    _type,
    { runs: _, after: __, ...options },
    _answered,
    _updates,
    updated,
  ) => {
    const round = new Round(this.parts, options, (message) =>
      updated({ subscription: '', message: { ...message, sequence: ++this.sequence }, positions: {} }),
    );
    round.begin();
    return { end: () => round.end() };
  };

  dispose(): void {
    for (const one of [...this.listening, this.connected]) one.dispose();
  }
}

/** One subscription of a panel. */
class Round {
  private subscriptions = new Map<Part, Promise<Subscription>>();
  /** What came of each part since the last merged snapshot began; undefined: its own snapshot is awaited. */
  private snapshots = new Map<Part, MetricsSnapshot>();
  private awaited = new Set<Part>();
  private waiting: MetricsMessage[] = [];
  private ended = false;

  constructor(
    private readonly parts: readonly Part[],
    private readonly options: Options,
    private readonly tell: (message: MetricsMessage) => void,
  ) {}

  begin(): void {
    for (const part of this.parts) this.open(part);
    this.complete();
  }

  async end(): Promise<void> {
    this.ended = true;
    await Promise.all([...this.subscriptions.values()].map(end));
  }

  /** Those that cannot be reached now are shown when they are: their connection begins a new round. */
  private open(part: Part): void {
    const before = this.subscriptions.get(part);
    if (before) void end(before);
    this.snapshots.delete(part);
    if (part.daemon.state.kind !== 'connected') return;
    this.awaited.add(part);
    const { machine, daemon, runs } = part;
    const subscription = daemon.subscribe(
      metricsSubscribe,
      { ...this.options, runs },
      () => {},
      metricsUpdate,
      ({ message }) => {
        if (!this.ended && this.subscriptions.get(part) === subscription) this.take(part, named(machine, message));
      },
    );
    this.subscriptions.set(part, subscription);
    subscription.catch(() => {
      // The connection was lost meanwhile.
      if (this.subscriptions.get(part) !== subscription) return;
      this.awaited.delete(part);
      this.complete();
    });
  }

  private take(part: Part, message: MetricsMessage): void {
    if (message.type !== 'snapshot') {
      if (this.awaited.size > 0) this.waiting.push(message);
      else this.tell(message);
      return;
    }
    const again = this.awaited.size === 0;
    this.awaited.delete(part);
    this.snapshots.set(part, message);
    // Additions to what the snapshot replaces.
    this.waiting = this.waiting.filter((one) => one.type === 'snapshot' || !isOf(part, one.run));
    if (again) for (const other of this.parts) if (other !== part) this.open(other);
    this.complete();
  }

  /** Tells the merged snapshot once those of all parts are there. */
  private complete(): void {
    if (this.awaited.size > 0) return;
    const all = this.parts.flatMap((part) => this.snapshots.get(part) ?? []);
    if (all.length === 0) return;
    const runs = all.flatMap((one) => one.runs);
    this.tell({ type: 'snapshot', sequence: 0, title: runs.map(({ name }) => name).join(', '), summary: [], runs });
    this.snapshots = new Map();
    for (const message of this.waiting.splice(0)) this.tell(message);
  }
}

function isOf({ machine, runs }: Part, run: string): boolean {
  return runs.some((path) => addressOf(machine, path) === run);
}

/** A message with addresses instead of paths, and the machine in the names of its runs. */
function named(machine: string | undefined, message: MetricsMessage): MetricsMessage {
  if (message.type !== 'snapshot') return { ...message, run: addressOf(machine, message.run) };
  const where = machine ?? l10n.t('this machine');
  return {
    ...message,
    runs: message.runs.map((run) => ({ ...run, id: addressOf(machine, run.id), name: `${run.name} (${where})` })),
  };
}

/** A subscription ends with its connection in any case. */
async function end(subscription: Promise<Subscription>): Promise<void> {
  await subscription.then((one) => one.end()).catch(() => {});
}

import type { DaemonConnection } from '../../daemon/client/daemonConnection.ts';
import { metricsSubscribe, metricsUpdate, type Position } from '../../protocol/metrics/messages.ts';

type After = { sequence: number; positions: Record<string, Position> };

/** The steps of one run that a client has been sent, as a panel keeps them. */
export class Curve {
  readonly steps: number[] = [];
  /** How many snapshots came: each replaces what is there. */
  snapshots = 0;
  /** Arrival of each update, ms, and the newest step in it. */
  readonly arrivals: { at: number; step: number }[] = [];
  private after: After | undefined;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly run: string) {}

  /** Subscribes on a connection, from where the last one ended. */
  async follow(client: DaemonConnection): Promise<void> {
    client.listen(metricsUpdate, ({ message, positions }) => {
      if (message.type === 'remove') throw new Error('the run was removed');
      if (message.type === 'snapshot') {
        this.snapshots++;
        this.steps.length = 0;
      }
      const tables = message.type === 'snapshot' ? message.runs.map(({ steps }) => steps) : [message.steps];
      for (const table of tables)
        for (const step of Array.from(table?.columns.step ?? [])) if (step !== null) this.steps.push(step);
      this.after = { sequence: message.sequence, positions: { ...this.after?.positions, ...positions } };
      this.arrivals.push({ at: performance.now(), step: this.steps.at(-1) ?? -1 });
      for (const look of [...this.waiting]) look();
    });
    await client.call(metricsSubscribe, { runs: [this.run], most: 20_000, after: this.after });
  }

  /** Resolves once so many steps are there. */
  until(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.steps.length < count) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }
}

import { progressNotification } from '../../../protocol/daemon/lifecycleMessages.ts';
import type { ParamsOf } from '../../../protocol/daemon/rpc.ts';
import type { Send } from '../wire/subscription.ts';

type Value = ParamsOf<typeof progressNotification>['value'];

/**
 * `$/progress` of one request, if the client sent a token. Sends one report at a time; of the reports that arrive meanwhile, only
 * the newest follows.
 */
export class WorkDone {
  private sending = false;
  private newest: Value | undefined;

  constructor(
    private readonly send: Send,
    private readonly token: string | number | undefined,
  ) {}

  begin(title: string): void {
    this.tell({ kind: 'begin', title, cancellable: true, percentage: 0 });
  }

  /** @param unit unit of the amounts */
  report(message: string, done?: number, total?: number, unit: (amount: number) => string = String): void {
    const known = done !== undefined && total;
    const share = known ? { percentage: Math.min(100, (100 * done) / total) } : {};
    const amount = known ? ` ${unit(done)} of ${unit(total)}` : '';
    this.newest = { kind: 'report', message: `${message}${amount}`, ...share };
    if (!this.sending) void this.sendReports();
  }

  end(): void {
    if (this.newest) this.tell(this.newest);
    this.newest = undefined;
    this.tell({ kind: 'end' });
  }

  private async sendReports(): Promise<void> {
    this.sending = true;
    while (this.newest) {
      const value = this.newest;
      this.newest = undefined;
      await this.tell(value);
    }
    this.sending = false;
  }

  /** If the client is gone, the report is lost and the request is cancelled. */
  private async tell(value: Value): Promise<void> {
    if (this.token !== undefined) await this.send(progressNotification, { token: this.token, value }).catch(() => {});
  }
}

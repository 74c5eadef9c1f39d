import { progressNotification } from '../../protocol/lifecycleMessages.ts';
import type { ParamsOf } from '../../protocol/rpc.ts';
import type { Send } from './metricsSubscription.ts';

/** `$/progress` of one request, where the client gave a token. One report is under way at a time; the others are left out. */
export class WorkDone {
  private sending = false;

  constructor(
    private readonly send: Send,
    private readonly token: string | number | undefined,
  ) {}

  begin(title: string): void {
    this.tell({ kind: 'begin', title, cancellable: true, percentage: 0 });
  }

  /** @param unit how amounts are written */
  report(message: string, done?: number, total?: number, unit: (amount: number) => string = String): void {
    if (this.sending) return;
    const known = done !== undefined && total;
    const share = known ? { percentage: Math.min(100, (100 * done) / total) } : {};
    const amount = known ? ` ${unit(done)} of ${unit(total)}` : '';
    this.sending = true;
    this.tell({ kind: 'report', message: `${message}${amount}`, ...share }).finally(() => {
      this.sending = false;
    });
  }

  end(): void {
    this.tell({ kind: 'end' });
  }

  /** A client that is gone hears nothing; its request is cancelled by that. */
  private async tell(value: ParamsOf<typeof progressNotification>['value']): Promise<void> {
    if (this.token !== undefined) await this.send(progressNotification, { token: this.token, value }).catch(() => {});
  }
}

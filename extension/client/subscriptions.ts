import type { Disposable } from 'vscode';
import { imageReading, logAppended, metricsUpdate, runsChanged } from '../../protocol/daemon/messages.ts';
import { type Caller, type CheckedParamsOf, listen, type NotificationType } from '../../protocol/daemon/rpc.ts';
import type { UnimissError } from '../../protocol/errors.ts';

/** The notifications that belong to a subscription. */
const types = [runsChanged, metricsUpdate, logAppended, imageReading] as const;
export type Subscribed = (typeof types)[number];

type Update = { subscription: string };

/**
 * Passes the notifications of one connection to their subscribers. A notification may arrive before the answer that names its
 * subscription; it then waits for the answer.
 */
export class Subscriptions {
  private readonly handlers = new Map<string, (update: Update) => void>();
  private early: Update[] = [];
  private asking = 0;

  constructor(connection: Caller, invalid: (error: UnimissError) => void) {
    for (const type of types)
      listen(connection, type as NotificationType, (params) => this.deliver(params as Update), invalid);
  }

  /** Subscribes by `ask`. Passes the answer to `answered`, and later notifications to `handler`, until disposed. */
  async add<T extends Subscribed, A extends Update>(
    _type: T,
    ask: () => Promise<A>,
    answered: (answer: A) => void,
    handler: (update: CheckedParamsOf<T>) => void,
  ): Promise<Disposable> {
    this.asking++;
    let answer: A;
    try {
      answer = await ask();
    } finally {
      this.asking--;
    }
    const { subscription } = answer;
    this.handlers.set(subscription, handler as (update: Update) => void);
    const mine = this.early.filter((update) => update.subscription === subscription);
    this.early = this.asking === 0 ? [] : this.early.filter((update) => update.subscription !== subscription);
    answered(answer);
    for (const update of mine) this.deliver(update);
    return { dispose: () => this.handlers.delete(subscription) };
  }

  private deliver(update: Update): void {
    const handler = this.handlers.get(update.subscription);
    if (handler) handler(update);
    else if (this.asking > 0) this.early.push(update);
  }
}

import type { CancellationToken, Disposable, Event } from 'vscode';
import { l10n } from 'vscode';
import type { CheckedParamsOf, ParamsOf, RequestType, ResultOf } from '../../protocol/daemon/rpc.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { parseAddress } from '../../protocol/machines/address.ts';
import { DaemonClient, type Subscription } from '../client/daemonClient.ts';
import type { Subscribed } from '../client/subscriptions.ts';
import { addressedAnswer, routed } from './addressed.ts';

/** The connections to other machines. */
interface OtherMachines {
  readonly onDidConnect: Event<string>;
  /** @throws UnimissError 'config' if it is none of the user's machines */
  clientOf(host: string): DaemonClient;
}

/** What shows one run needs: its messages, and when to ask for them again. */
export type DaemonOfRun = Pick<DaemonClient, 'onDidConnect' | 'subscribe'>;

/**
 * The daemon of this machine; requests about a run on another machine (known by its address) go to the daemon there. So whoever
 * asks about a run needs not know where it is.
 */
export class RoutedDaemon extends DaemonClient {
  private machines: OtherMachines | undefined;

  joinMachines(machines: OtherMachines): void {
    this.machines = machines;
  }

  /** Calls after every connection, with the machine; undefined: this one. */
  onDidConnectTo(listener: (machine: string | undefined) => void): Disposable {
    const here = this.onDidConnect(() => listener(undefined));
    const there = this.machines?.onDidConnect(listener);
    return {
      dispose: () => {
        here.dispose();
        there?.dispose();
      },
    };
  }

  override async request<T extends RequestType>(
    type: T,
    params: ParamsOf<T>,
    token?: CancellationToken,
  ): Promise<ResultOf<T>> {
    const there = routed(params);
    if (there.machine === undefined) return super.request(type, params, token);
    const answer = await this.clientOf(there.machine).request(type, there.params, token);
    return addressedAnswer(there.machine, answer) as ResultOf<T>;
  }

  override async subscribe<T extends RequestType, N extends Subscribed>(
    type: T,
    params: ParamsOf<T>,
    answered: (answer: ResultOf<T>) => void,
    updates: N,
    updated: (update: CheckedParamsOf<N>) => void,
  ): Promise<Subscription> {
    const there = routed(params);
    if (there.machine === undefined) return super.subscribe(type, params, answered, updates, updated);
    return this.clientOf(there.machine).subscribe(type, there.params, answered, updates, updated);
  }

  /** For one who shows a run. @param run folder or address */
  of(run: string | undefined): DaemonOfRun {
    const { machine } = parseAddress(run ?? '');
    if (machine === undefined) return this;
    const { onDidConnect } = this.clientOf(machine);
    return { onDidConnect, subscribe: (...args) => this.subscribe(...args) };
  }

  private clientOf(host: string): DaemonClient {
    if (this.machines) return this.machines.clientOf(host);
    throw new UnimissError('internal', l10n.t('the machines are not read yet'), { place: host });
  }
}

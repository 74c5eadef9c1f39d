import type { CancellationToken, Disposable, Event } from 'vscode';
import { l10n } from 'vscode';
import type { CheckedParamsOf, ParamsOf, RequestType, ResultOf } from '../../protocol/daemon/rpc.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { parseAddress } from '../../protocol/machines/address.ts';
import { DaemonClient, type Subscription } from '../client/daemonClient.ts';
import type { Subscribed } from '../client/subscriptions.ts';
import type { MetricsDaemon } from '../metrics/metricsPanel.ts';
import { addressedAnswer, routed } from './addressed.ts';
import { MergedRuns } from './mergedRuns.ts';

/** The connections to other machines. */
interface OtherMachines {
  readonly onDidConnect: Event<string>;
  /** @throws UnimissError 'config' if it is none of the user's machines */
  clientOf(host: string): DaemonClient;
}

/**
 * The daemon of a machine, as commands ask it: requests that name no run go there, and runs in its answers carry their addresses.
 */
export interface DaemonAt extends Pick<DaemonClient, 'request' | 'languageClient' | 'state'> {
  /** undefined: this machine. */
  readonly machine: string | undefined;
}

/**
 * The daemon of this machine; requests about a run on another machine (known by its address) go to the daemon there. So whoever
 * asks about a run needs not know where it is.
 */
export class RoutedDaemon extends DaemonClient implements DaemonAt {
  readonly machine = undefined;
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

  /** The daemon of a machine. @throws UnimissError 'config' if it is none of the user's machines */
  at(machine: string | undefined): DaemonAt {
    if (machine === undefined) return this;
    const client = this.clientOf(machine);
    return {
      machine,
      get state() {
        return client.state;
      },
      languageClient: () => client.languageClient(),
      request: async (type, params, token) => {
        const there = routed(params);
        if (there.machine !== undefined && there.machine !== machine) throw elsewhere(there.machine, machine);
        const answer = await client.request(type, there.params, token);
        return addressedAnswer(machine, answer) as ResultOf<typeof type>;
      },
    };
  }

  /** For one who shows the curves of runs; of several machines, they are merged. @param runs folders or addresses */
  ofAll(runs: readonly string[]): MetricsDaemon & { dispose?: () => void } {
    const machines = new Set(runs.map((run) => parseAddress(run).machine));
    const clientOf = (machine: string | undefined) => (machine === undefined ? this : this.clientOf(machine));
    if (machines.size > 1) return new MergedRuns(runs, clientOf);
    const [machine] = machines;
    const { onDidConnect } = clientOf(machine);
    return { onDidConnect, subscribe: (...args) => this.subscribe(...args) };
  }

  private clientOf(host: string): DaemonClient {
    if (this.machines) return this.machines.clientOf(host);
    throw new UnimissError('internal', l10n.t('the list of machines is not ready yet'), { place: host });
  }
}

function elsewhere(there: string, asked: string): UnimissError {
  return new UnimissError('run', l10n.t('is on {0}, but this command works on {1}', there, asked), {
    place: 'the run',
    remedy: l10n.t('Choose runs on the same machine.'),
  });
}

import { join } from 'node:path';
import { type Disposable, EventEmitter, type ExtensionContext, type LogOutputChannel, l10n, workspace } from 'vscode';
import { hostsOf } from '../../machines/host.ts';
import { type Payload, readPayload } from '../../machines/payload.ts';
import { filesOpen } from '../../protocol/daemon/messages.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { DaemonClient } from '../client/daemonClient.ts';
import { connectedWhenLastSeen, keepConnected } from '../lastSeen.ts';
import type { RunStore } from '../runs/runStore.ts';
import { AskInEditor } from './askInEditor.ts';
import { Machine } from './machine.ts';
import { Places } from './places.ts';

/** The machines of the setting `unimiss.machines`. Those that were connected when the editor closed are connected again. */
export class Machines implements Disposable {
  private readonly byHost = new Map<string, Machine & { runs?: Disposable }>();
  private readonly changed = new EventEmitter<void>();
  private readonly connected = new EventEmitter<string>();
  private readonly asks: AskInEditor;
  private readonly subscriptions: Disposable[];
  private packed: Promise<Payload> | undefined;
  /** What the user opened on them by name. */
  readonly places: Places;

  /** Fires when a machine comes, goes, or changes its state or status. */
  readonly onDidChange = this.changed.event;
  /** Fires after every connection, with the host. */
  readonly onDidConnect = this.connected.event;

  constructor(
    private readonly extension: ExtensionContext,
    private readonly output: LogOutputChannel,
    private readonly store: RunStore,
    private readonly failed: (error: unknown) => void,
  ) {
    this.asks = new AskInEditor(extension);
    this.places = new Places(extension);
    this.subscriptions = [
      workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('unimiss.machines')) this.readSetting();
      }),
    ];
    this.readSetting();
    for (const host of connectedWhenLastSeen(this.extension))
      this.byHost.get(host)?.client.connect().catch(this.failed);
  }

  get all(): Machine[] {
    return [...this.byHost.values()];
  }

  get(host: string): Machine | undefined {
    return this.byHost.get(host);
  }

  /** @throws UnimissError 'config' if it is none of the user's machines */
  clientOf(host: string): DaemonClient {
    // The editor writes the hosts of addresses in small letters.
    const machine = this.byHost.get(host) ?? this.all.find((one) => one.host.toLowerCase() === host.toLowerCase());
    if (machine) return machine.client;
    throw new UnimissError('config', l10n.t('{0} is not one of your machines', host), {
      place: 'unimiss.machines',
      remedy: l10n.t('Add it again with "UniMiSS: Add Machine".'),
    });
  }

  /** Remembers which machines a new window connects to. */
  remember(host: string, wanted: boolean): void {
    const others = connectedWhenLastSeen(this.extension).filter((one) => one !== host);
    void keepConnected(this.extension, wanted ? [...others, host] : others);
  }

  async dispose(): Promise<void> {
    for (const one of this.subscriptions) one.dispose();
    await Promise.all([...this.byHost.keys()].map((host) => this.drop(host)));
    this.asks.dispose();
    this.changed.dispose();
    this.connected.dispose();
  }

  private readSetting(): void {
    const { hosts, problems } = hostsOf(workspace.getConfiguration('unimiss').get<unknown>('machines'));
    for (const problem of problems) this.failed(problem);
    for (const host of this.byHost.keys()) if (!hosts.includes(host)) this.drop(host).catch(this.failed);
    for (const host of hosts) if (!this.byHost.has(host)) this.add(host);
    this.changed.fire();
  }

  private add(host: string): void {
    const machine: Machine & { runs?: Disposable } = new Machine(host, {
      output: this.output,
      payload: () => this.payload(),
      asking: (name, cancel) => this.asks.asking(name, cancel),
    });
    machine.onDidChange(() => this.changed.fire());
    machine.client.onDidConnect(() => {
      this.connected.fire(host);
      machine.look().catch(this.failed);
      this.openPlaces(machine).catch(this.failed);
    });
    machine.runs = this.store.addMachine(host, machine.client);
    this.byHost.set(host, machine);
  }

  /** A new daemon does not know what the user opened. */
  private async openPlaces({ host, client }: Machine): Promise<void> {
    for (const path of this.places.of(host))
      await client.request(filesOpen, { path }).catch((error: unknown) => {
        if (!(error instanceof UnimissError) || error.code !== 'data') throw error; // it was removed
      });
  }

  private async drop(host: string): Promise<void> {
    const machine = this.byHost.get(host);
    this.byHost.delete(host);
    machine?.runs?.dispose();
    await machine?.dispose();
  }

  /** Read once: its files do not change while the extension runs. */
  private payload(): Promise<Payload> {
    const { extensionPath, extension } = this.extension;
    this.packed ??= readPayload(join(extensionPath, 'dist', 'daemon'), extension.packageJSON.version);
    this.packed.catch(() => {
      this.packed = undefined;
    });
    return this.packed;
  }
}

import {
  type Disposable,
  EventEmitter,
  l10n,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
} from 'vscode';
import { type MachineStatus, machineStatus } from '../../protocol/daemon/messages.ts';
import type { ConnectionState, DaemonClient } from '../client/daemonClient.ts';
import { NoDaemonHere } from '../client/noDaemonHere.ts';
import { describeMachine, type Row, retiredRows, rowsOf } from './describeMachine.ts';
import type { Machine } from './machine.ts';
import type { Machines } from './machines.ts';

/** A machine by its host; undefined: this machine. Commands of its row receive it. */
export interface MachineElement {
  kind: 'machine';
  machine: string | undefined;
}
interface RowElement {
  kind: 'row';
  row: Row;
  id: string;
}
type Element = MachineElement | RowElement;

/** What the view needs of the editor's. */
export type MachinesTree = Pick<TreeView<Element>, 'visible' | 'onDidChangeVisibility'>;

/** Between two looks at machines while the view is open, ms. */
const lookEvery = 5000;

/** The view "Machines": this machine and others, how busy each is, and who holds its GPUs. */
export class MachinesView implements TreeDataProvider<Element>, Disposable {
  private readonly changed = new EventEmitter<Element | undefined>();
  private readonly subscriptions: Disposable[];
  private readonly elements = new Map<string | undefined, MachineElement>();
  private here: MachineStatus | undefined;
  private looking: NodeJS.Timeout | undefined;

  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly view: MachinesTree,
    private readonly machines: Machines,
    private readonly daemon: DaemonClient,
    private readonly failed: (error: unknown) => void,
  ) {
    const draw = () => this.changed.fire(undefined);
    this.subscriptions = [
      machines.onDidChange(draw),
      daemon.onDidChangeState(({ kind }) => {
        if (kind !== 'connected') this.here = undefined;
        else if (this.view.visible) this.look();
        draw();
      }),
      this.view.onDidChangeVisibility(({ visible }) => this.watch(visible)),
    ];
    this.watch(this.view.visible);
  }

  getChildren(parent?: Element): Element[] {
    if (!parent) return [undefined, ...this.machines.all.map(({ host }) => host)].map((host) => this.elementOf(host));
    if (parent.kind === 'row') return parent.row.below.map((row, i) => ({ kind: 'row', row, id: `${parent.id}/${i}` }));
    const { status } = this.about(parent.machine);
    const { retired = [] } = (parent.machine !== undefined && this.machines.get(parent.machine)) || {};
    const rows = status ? [...rowsOf(status), ...retiredRows(retired)] : [];
    return rows.map((row, i) => ({ kind: 'row', row, id: `${parent.machine ?? ''}/${i}` }));
  }

  getTreeItem(element: Element): TreeItem {
    if (element.kind === 'row') return rowItem(element);
    const { state, status } = this.about(element.machine);
    return machineItem(element.machine, state, status);
  }

  dispose(): void {
    clearInterval(this.looking);
    for (const one of [...this.subscriptions, this.changed]) one.dispose();
  }

  private about(host: string | undefined): { state: ConnectionState; status: MachineStatus | undefined } {
    const machine: Machine | undefined = host === undefined ? undefined : this.machines.get(host);
    if (host === undefined) return { state: this.daemon.state, status: this.here };
    return { state: machine?.client.state ?? { kind: 'idle' }, status: machine?.status };
  }

  private elementOf(machine: string | undefined): MachineElement {
    const known = this.elements.get(machine);
    if (known) return known;
    const element: MachineElement = { kind: 'machine', machine };
    this.elements.set(machine, element);
    return element;
  }

  private watch(visible: boolean): void {
    clearInterval(this.looking);
    if (!visible) return;
    this.look();
    this.looking = setInterval(() => this.look(), lookEvery);
  }

  private look(): void {
    for (const machine of this.machines.all) machine.look().catch(this.failed);
    if (this.daemon.state.kind !== 'connected') return;
    this.daemon.request(machineStatus, {}).then((status) => {
      this.here = status;
      this.changed.fire(undefined);
    }, this.failed);
  }
}

function machineItem(host: string | undefined, state: ConnectionState, status: MachineStatus | undefined): TreeItem {
  const collapsible = status ? TreeItemCollapsibleState.Collapsed : TreeItemCollapsibleState.None;
  const item = new TreeItem(host ?? l10n.t('This machine'), collapsible);
  item.id = `machine ${host ?? ''}`;
  item.description = describeMachine(state, status);
  item.contextValue = host === undefined ? 'here' : `machine ${state.kind === 'connected' ? 'connected' : 'away'}`;
  item.tooltip = [
    host ?? l10n.t('This machine'),
    state.kind === 'failed' ? state.error.message : describeMachine(state, status),
    state.kind === 'connected'
      ? l10n.t('Background server {0}, process {1}\nRuns in {2}', state.version, state.pid, state.runsRoot)
      : undefined,
  ]
    .filter((line) => line !== undefined)
    .join('\n');
  item.accessibilityInformation = { label: `${host ?? l10n.t('This machine')}: ${item.description}` };
  item.iconPath = iconOf(host, state);
  return item;
}

function iconOf(host: string | undefined, state: ConnectionState): ThemeIcon {
  const { kind } = state;
  if (kind === 'connecting') return new ThemeIcon('loading~spin');
  if (state.kind === 'failed' && !(state.error instanceof NoDaemonHere))
    return new ThemeIcon('error', new ThemeColor('list.errorForeground'));
  const color = kind === 'connected' ? new ThemeColor('testing.iconPassed') : undefined;
  return new ThemeIcon(host === undefined ? 'device-desktop' : 'remote', color);
}

function rowItem({ row, id }: RowElement): TreeItem {
  const item = new TreeItem(
    row.label,
    row.below.length > 0 ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.None,
  );
  item.id = `row ${id}`;
  item.description = row.description;
  item.tooltip = `${row.label}: ${row.description}`;
  item.accessibilityInformation = { label: item.tooltip };
  item.iconPath = new ThemeIcon(row.icon);
  return item;
}

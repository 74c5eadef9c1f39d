import {
  commands,
  type Disposable,
  EventEmitter,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  type TreeView,
  Uri,
  window,
} from 'vscode';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { DaemonClient } from '../client/daemonClient.ts';
import { actionsOf, describeRun, isActive, standing } from './describeRun.ts';
import type { RunStore, UnreadableRun } from './runStore.ts';

/** An element of the tree: a run by its folder, so that the element stays the same while the run goes on. */
export interface RunElement {
  folder: string;
}
type Element = RunElement | UnreadableRun;

const isUnreadable = (element: Element): element is UnreadableRun => 'message' in element;

const icons: Record<ReturnType<typeof standing>, [icon: string, color?: string]> = {
  new: ['circle-outline'],
  queued: ['clock'],
  starting: ['loading~spin'],
  training: ['sync~spin', 'charts.blue'],
  running: ['sync~spin', 'charts.blue'],
  paused: ['debug-pause', 'charts.yellow'],
  stopping: ['loading~spin'],
  stopped: ['circle-slash'],
  interrupted: ['debug-disconnect', 'list.warningForeground'],
  failed: ['error', 'list.errorForeground'],
  finished: ['pass', 'testing.iconPassed'],
};

/** Redraws at most this often, ms: a small network makes many steps a second. */
const redrawPause = 250;

/** The view "Runs": every run with its state and progress, newest first. */
export class RunsView implements TreeDataProvider<Element>, Disposable {
  private readonly changed = new EventEmitter<Element | undefined>();
  private readonly view: TreeView<Element>;
  private readonly subscriptions: Disposable[];
  private readonly elements = new Map<string, RunElement>();
  private pending: Set<string> | 'all' = new Set();
  private redraw: NodeJS.Timeout | undefined;

  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly store: RunStore,
    private readonly daemon: DaemonClient,
  ) {
    this.view = window.createTreeView('unimiss.runs', { treeDataProvider: this, showCollapseAll: false });
    this.subscriptions = [
      store.onDidChange(({ before, folders }) => {
        const sameRows = folders?.every((folder) => before.has(folder) && store.get(folder) !== undefined);
        this.later(sameRows ? folders! : 'all');
      }),
      daemon.onDidChangeState(() => this.showConnection()),
    ];
  }

  /** The selected run, if any. */
  get selected(): RunInfo | undefined {
    const element = this.view.selection[0];
    return element && !isUnreadable(element) ? this.store.get(element.folder) : undefined;
  }

  /** Shows the view, with the newest run on top. It selects no row, because a tree that is redrawing may not find it. */
  async show(): Promise<void> {
    this.drawNow();
    await commands.executeCommand('unimiss.runs.focus');
  }

  async getChildren(parent?: Element): Promise<Element[]> {
    if (parent) return [];
    // The view needs the daemon; it shows its progress bar meanwhile.
    if (!this.store.known && this.daemon.state.kind !== 'failed') await this.store.load().catch(() => {}); // the state of the connection shows the failure
    return [...this.store.runs.map((run) => this.element(run.folder)), ...this.store.problems];
  }

  getParent(): undefined {
    return undefined;
  }

  getTreeItem(element: Element): TreeItem {
    if (isUnreadable(element)) return unreadableItem(element);
    const run = this.store.get(element.folder);
    return run ? runItem(run) : new TreeItem('');
  }

  dispose(): void {
    clearTimeout(this.redraw);
    for (const one of [...this.subscriptions, this.view, this.changed]) one.dispose();
  }

  private element(folder: string): RunElement {
    const known = this.elements.get(folder) ?? { folder };
    this.elements.set(folder, known);
    return known;
  }

  private later(folders: readonly string[] | 'all'): void {
    if (folders === 'all' || this.pending === 'all') this.pending = 'all';
    else for (const folder of folders) this.pending.add(folder);
    this.redraw ??= setTimeout(() => this.drawNow(), redrawPause);
  }

  private drawNow(): void {
    clearTimeout(this.redraw);
    this.redraw = undefined;
    const pending = this.pending;
    this.pending = new Set();
    if (pending === 'all') this.changed.fire(undefined);
    else for (const folder of pending) this.changed.fire(this.element(folder));
    this.showCount();
  }

  private showCount(): void {
    const value = this.store.runs.filter((run) => isActive(run) && run.activity !== 'queued').length;
    this.view.badge =
      value === 0 ? undefined : { value, tooltip: value === 1 ? '1 run is training' : `${value} runs are training` };
  }

  private showConnection(): void {
    const { state } = this.daemon;
    this.view.message =
      state.kind === 'failed'
        ? `The background server is not responding. ${state.error.message}`
        : state.kind === 'connecting' && state.again
          ? 'Reconnecting to the background server …'
          : undefined;
  }
}

function runItem(run: RunInfo): TreeItem {
  const item = new TreeItem(run.name);
  item.id = run.folder;
  item.description = isActive(run) ? describeRun(run) : `${shortTime(new Date(run.created))} · ${describeRun(run)}`;
  const [icon, color] = icons[standing(run)];
  item.iconPath = new ThemeIcon(icon, color ? new ThemeColor(color) : undefined);
  item.contextValue = ['run', run.task, ...actionsOf(run)].join(' ');
  item.tooltip = tooltip(run);
  item.accessibilityInformation = { label: `${run.name}, ${standing(run)}, ${item.description}` };
  item.command = { command: 'unimiss.openMetrics', title: 'Open Metrics', arguments: [{ folder: run.folder }] };
  return item;
}

function tooltip(run: RunInfo): MarkdownString {
  const text = new MarkdownString();
  const line = (name: string, value: string | undefined | null) => {
    if (value) text.appendMarkdown(`**${name}** `).appendText(value).appendMarkdown('\n\n');
  };
  line('Run', run.id);
  line('State', describeRun(run));
  line('Network', [run.preset, ...run.devices.map((device) => `on ${device}`)].join(', '));
  line('Started', new Date(run.created).toLocaleString());
  line('Last update', new Date(run.updated).toLocaleString());
  line('Ended', run.ending?.message);
  line('Folder', run.folder);
  return text;
}

function unreadableItem({ folder, message }: UnreadableRun): TreeItem {
  const item = new TreeItem(Uri.file(folder));
  item.description = 'cannot be read';
  item.tooltip = message;
  item.iconPath = new ThemeIcon('warning', new ThemeColor('list.warningForeground'));
  item.contextValue = 'unreadable';
  return item;
}

/** Distinguishes runs of the same name by their start: the time if today, else the day. */
function shortTime(time: Date): string {
  const today = time.toDateString() === new Date().toDateString();
  return today
    ? time.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
    : time.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
}

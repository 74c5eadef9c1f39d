import {
  commands,
  type Disposable,
  EventEmitter,
  l10n,
  type TreeDataProvider,
  TreeItem,
  type TreeView,
  workspace,
} from 'vscode';
import { forEditor } from '../../protocol/editorWords.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import type { Checkpoint, RunDetails } from '../../protocol/runs/detailsMessages.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { thousands } from '../../protocol/words.ts';
import type { DaemonClient } from '../client/daemonClient.ts';
import { NoDaemonHere } from '../client/noDaemonHere.ts';
import { isActive } from './describeRun.ts';
import type { RunStore, UnreadableRun } from './runStore.ts';
import { detailItem, detailNames, entryItem } from './tree/detailRows.ts';
import { DetailsCache } from './tree/detailsCache.ts';
import { type Element, Elements, type EntryElement, type GroupBy, parentOf, rowsBelow } from './tree/elements.ts';
import { groupItem, runItem, unreadableItem } from './tree/runRows.ts';

function isCheckpointRow(given: unknown): given is EntryElement {
  return isObject(given) && given.kind === 'entry' && given.detail === 'checkpoints';
}

const isUnreadable = (element: Element): element is UnreadableRun => 'message' in element;

/** What the view needs of the editor's. */
export type RunsTree = Pick<TreeView<Element>, 'selection' | 'badge' | 'message'>;

/** Redraws at most this often, ms: a small network makes many steps a second. */
const redrawPause = 250;

/** The view "Runs": every run with its state and progress, in groups, newest first; below each run what it has. */
export class RunsView implements TreeDataProvider<Element>, Disposable {
  private readonly changed = new EventEmitter<Element | undefined>();
  private readonly subscriptions: Disposable[];
  private readonly elements = new Elements();
  private readonly details: DetailsCache;
  private pending: Set<string> | 'all' = new Set();
  private redraw: NodeJS.Timeout | undefined;
  /** The shape of the tree when the editor last asked for it. */
  private drawn: string | undefined;
  /** What the row of each run shows. Only rows that have changed are drawn again: meanwhile, a menu's command finds no row below them. */
  private readonly shown = new Map<string, string>();

  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly view: RunsTree,
    private readonly store: RunStore,
    private readonly daemon: DaemonClient,
    failed: (error: unknown) => void,
  ) {
    this.details = new DetailsCache(daemon, failed);
    this.subscriptions = [
      store.onDidChange(({ before, folders }) => {
        const sameRows = folders?.every((folder) => samePlace(before.get(folder), store.get(folder)));
        this.later(sameRows ? folders! : 'all');
      }),
      daemon.onDidChangeState(() => this.showConnection()),
      workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('unimiss.runs.groupBy')) this.later('all');
      }),
    ];
  }

  /** The selected run, if any. */
  get selected(): RunInfo | undefined {
    const element = this.view.selection[0];
    return element && 'folder' in element ? this.store.get(element.folder) : undefined;
  }

  /** Shows the view, with the newest run on top. It selects no row, because a tree that is redrawing may not find it. */
  async show(): Promise<void> {
    this.drawNow();
    await commands.executeCommand('unimiss.runs.focus');
  }

  /** Draws a run anew that has something new on the disk, such as an evaluation. */
  refresh(folder: string): void {
    this.details.forget(folder);
    this.shown.delete(folder);
    this.later([folder]);
  }

  /**
   * The checkpoint that a row shows; undefined for other rows.
   * @throws UnimissError 'run' if it is gone: what was asked of it is not done with another one
   */
  checkpoint(given: unknown): Checkpoint | undefined {
    if (!isCheckpointRow(given)) return undefined;
    const { folder, key } = given;
    const found = this.details.known(given)?.checkpoints.find(({ step }) => step === key);
    if (found) return found;
    throw new UnimissError('run', l10n.t('the checkpoint of step {0} no longer exists', thousands(key)), {
      place: this.store.get(folder)?.id ?? folder,
    });
  }

  async getChildren(parent?: Element): Promise<Element[]> {
    // The view needs the daemon; it shows its progress bar meanwhile.
    if (!this.store.known && this.daemon.state.kind !== 'failed') await this.store.load().catch(() => {}); // the state of the connection shows the failure
    const { elements, store } = this;
    if (parent && isUnreadable(parent)) return [];
    if (parent?.kind === 'entry') return [];
    if (parent?.kind === 'detail') {
      const { detail, folder } = parent;
      if (detail !== 'warnings' && detail !== 'checkpoints' && detail !== 'evaluations') return [];
      const details = await this.detailsOf(folder);
      const keys =
        detail === 'checkpoints'
          ? details?.checkpoints.map(({ step }) => step)
          : details?.[detail].map((_, index) => index);
      return (keys ?? []).map((key) => elements.entry(folder, detail, key));
    }
    const { groups, runs } = rowsBelow(parent, store.runs, groupBy());
    const rows = [...groups.map((group) => elements.group(group)), ...runs.map((folder) => elements.run(folder))];
    if (!parent) {
      this.drawn = this.shape();
      return [...rows, ...store.problems];
    }
    const run = parent.kind === 'run' ? store.get(parent.folder) : undefined;
    if (!run) return rows;
    const names = detailNames(run, await this.detailsOf(run.folder));
    return [...rows, ...names.map((name) => elements.detail(run.folder, name))];
  }

  getParent(): undefined {
    return undefined;
  }

  getTreeItem(element: Element): TreeItem {
    if (isUnreadable(element)) return unreadableItem(element);
    const { runs } = this.store;
    if (element.kind === 'group') return groupItem(element.group, rowsBelow(element, runs, groupBy()).runs.length);
    const run = this.store.get(element.folder);
    if (!run) return new TreeItem('');
    const details = this.details.known(run);
    if (element.kind === 'detail') return detailItem(element, run, details);
    if (element.kind === 'entry') return entryItem(element, details);
    this.shown.set(run.folder, JSON.stringify(run));
    const parent = parentOf(run, runs);
    return runItem(run, parent === undefined ? undefined : this.store.get(parent));
  }

  dispose(): void {
    clearTimeout(this.redraw);
    for (const one of [...this.subscriptions, this.changed]) one.dispose();
  }

  private async detailsOf(folder: string): Promise<RunDetails | undefined> {
    const run = this.store.get(folder);
    const details = run && (await this.details.of(run));
    if (!details) this.shown.delete(folder); // the next drawing asks again
    return details;
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
    // To draw the whole tree anew while the editor asks for rows of the old one is an error there, so it is done only if rows come,
    // go or move.
    if (pending === 'all' && this.shape() !== this.drawn) this.changed.fire(undefined);
    else {
      const folders = pending === 'all' ? this.store.runs.map(({ folder }) => folder) : pending;
      for (const folder of folders)
        if (this.shown.get(folder) !== JSON.stringify(this.store.get(folder)))
          this.changed.fire(this.elements.run(folder));
    }
    this.showCount();
  }

  /** Which rows there are, and in which order. */
  private shape(): string {
    const { runs, problems } = this.store;
    const by = groupBy();
    const { groups, runs: top } = rowsBelow(undefined, runs, by);
    const members = groups.map((group) => rowsBelow(this.elements.group(group), runs, by).runs);
    const parents = by === 'origin' ? runs.map((run) => parentOf(run, runs)) : [];
    return JSON.stringify([by, groups, top, members, parents, problems]);
  }

  private showCount(): void {
    const value = this.store.runs.filter((run) => isActive(run) && run.activity !== 'queued').length;
    this.view.badge =
      value === 0
        ? undefined
        : { value, tooltip: value === 1 ? l10n.t('1 run is training') : l10n.t('{0} runs are training', value) };
  }

  private showConnection(): void {
    const { state } = this.daemon;
    this.view.message =
      state.kind === 'failed' && !(state.error instanceof NoDaemonHere)
        ? l10n.t('The background server is not responding. {0}', forEditor(state.error.message))
        : state.kind === 'connecting' && state.again
          ? l10n.t('Reconnecting to the background server …')
          : undefined;
  }
}

function groupBy(): GroupBy {
  return workspace.getConfiguration('unimiss').get<GroupBy>('runs.groupBy', 'state');
}

/** Whether a change leaves a run in its group, so that only its own row changes. */
function samePlace(before: RunInfo | undefined, now: RunInfo | undefined): boolean {
  return before !== undefined && now !== undefined && before.activity === now.activity && before.state === now.state;
}

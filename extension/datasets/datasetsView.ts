import { basename, dirname, join } from 'node:path';
import {
  type Disposable,
  EventEmitter,
  FileType,
  l10n,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  Uri,
  workspace,
} from 'vscode';
import { thousands } from '../../protocol/words.ts';
import { type DataFinding, type DataSet, type DatasetStore, idOf } from './datasetStore.ts';
import { thumbnailOf } from './thumbnail.ts';

/** A row of the view. */
export type DataRow =
  | { readonly kind: 'set'; readonly set: DataSet }
  | { readonly kind: 'findings'; readonly set: DataSet }
  | { readonly kind: 'finding'; readonly set: DataSet; readonly finding: DataFinding }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'image'; readonly path: string }
  | { readonly kind: 'table'; readonly path: string }
  | { readonly kind: 'more'; readonly text: string };

/** Names of files that are images. */
const imageName = /\.(nii(\.gz)?|n(rrd|hdr)|mh[ad]|dcm|png|jpe?g)$/i;
/** Rows below a folder; more would be slow, and nobody reads them. */
const mostRows = 500;

/** The view "Data Sets": each with its counts, the findings of its check, and its images with a small picture of each. */
export class DatasetsView implements TreeDataProvider<DataRow>, Disposable {
  private readonly changed = new EventEmitter<DataRow | undefined>();
  /** Rows of data sets that the editor has, by id. Only the row of what has been looked at is drawn again: while all are, a menu's command finds no row. */
  private readonly sets = new Map<string, DataRow>();
  private readonly subscriptions: Disposable[];
  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly store: DatasetStore,
    private readonly threadFile: string,
  ) {
    this.subscriptions = [
      store.onDidChange((id) => this.changed.fire(id === undefined ? undefined : this.sets.get(id))),
      workspace.onDidGrantWorkspaceTrust(() => this.changed.fire(undefined)),
    ];
  }

  async getChildren(row?: DataRow): Promise<DataRow[]> {
    if (!row) return this.allSets();
    if (row.kind === 'set') {
      const look = workspace.isTrusted ? this.store.look(row.set) : undefined;
      const found: DataRow[] =
        look?.state === 'known' && look.findings.length > 0 ? [{ kind: 'findings', set: row.set }] : [];
      return [...found, ...(await filesIn(row.set.path))];
    }
    if (row.kind === 'findings') {
      const look = this.store.look(row.set);
      const findings = look.state === 'known' ? look.findings : [];
      return findings.slice(0, mostRows).map((finding) => ({ kind: 'finding', set: row.set, finding }));
    }
    return row.kind === 'folder' ? filesIn(row.path) : [];
  }

  private async allSets(): Promise<DataRow[]> {
    const rows = (await this.store.list()).map((set): DataRow & { kind: 'set' } => ({ kind: 'set', set }));
    this.sets.clear();
    for (const row of rows) this.sets.set(idOf(row.set), row);
    return rows;
  }

  getTreeItem(row: DataRow): TreeItem {
    const item = this.itemOf(row);
    const name = item.label ?? (item.resourceUri && basename(item.resourceUri.fsPath));
    // Otherwise a screen reader would read the tooltip alone.
    const label = [name, item.description].filter((text) => typeof text === 'string' && text !== '').join(', ');
    item.accessibilityInformation = { label };
    return item;
  }

  private itemOf(row: DataRow): TreeItem {
    switch (row.kind) {
      case 'set':
        return this.setItem(row.set);
      case 'findings': {
        const look = this.store.look(row.set);
        const item = new TreeItem(l10n.t('Findings'), TreeItemCollapsibleState.Collapsed);
        item.description = look.state === 'known' ? thousands(look.findings.length) : '';
        item.iconPath = new ThemeIcon('warning', new ThemeColor('list.warningForeground'));
        return item;
      }
      case 'finding':
        return findingItem(row);
      case 'folder': {
        const item = new TreeItem(Uri.file(row.path), TreeItemCollapsibleState.Collapsed);
        item.iconPath = ThemeIcon.Folder;
        item.contextValue = 'dataFolder';
        return item;
      }
      case 'image': {
        const item = new TreeItem(Uri.file(row.path));
        item.iconPath = new ThemeIcon('file-media');
        item.contextValue = 'dataImage';
        item.command = {
          command: 'unimiss.openViewer',
          title: 'Open in UniMiSS Viewer',
          arguments: [item.resourceUri],
        };
        return item;
      }
      case 'table': {
        const item = new TreeItem(Uri.file(row.path));
        item.iconPath = ThemeIcon.File;
        item.command = { command: 'vscode.open', title: 'Open', arguments: [item.resourceUri] };
        return item;
      }
      case 'more':
        return new TreeItem(row.text);
    }
  }

  /** The small picture of an image, when the pointer rests on its row. */
  async resolveTreeItem(item: TreeItem, row: DataRow): Promise<TreeItem> {
    if (row.kind !== 'image') return item;
    const tooltip = new MarkdownString();
    tooltip.appendText(row.path);
    try {
      const { png, about } = await thumbnailOf(row.path, this.threadFile);
      tooltip.appendMarkdown(`\n\n![](data:image/png;base64,${Buffer.from(png).toString('base64')})\n\n`);
      tooltip.appendText(about);
    } catch (error) {
      tooltip.appendMarkdown('\n\n');
      tooltip.appendText(error instanceof Error ? error.message : String(error));
    }
    item.tooltip = tooltip;
    return item;
  }

  dispose(): void {
    for (const one of [...this.subscriptions, this.changed]) one.dispose();
  }

  private setItem(set: DataSet): TreeItem {
    const item = new TreeItem(nameOf(set), TreeItemCollapsibleState.Collapsed);
    item.id = idOf(set);
    item.tooltip = set.path;
    item.contextValue = `dataSet ${set.kind}${set.added ? ' added' : ''}`;
    // Nothing looks at the files that a configuration of an untrusted workspace names.
    if (!workspace.isTrusted) return item;
    const look = this.store.look(set);
    if (look.state === 'looking') {
      item.iconPath = new ThemeIcon('loading~spin');
      item.description = l10n.t('looking at the files');
    } else if (look.state === 'failed') {
      item.iconPath = new ThemeIcon('error', new ThemeColor('list.errorForeground'));
      item.description = look.why;
    } else if (look.state === 'unchecked') {
      item.iconPath = new ThemeIcon('database');
      item.description = l10n.t('not checked here');
      item.tooltip = l10n.t(
        '{0}\nThis machine has no background server to check it. The machine that trains checks it before a run.',
        set.path,
      );
    } else {
      const bad = look.findings.length;
      item.iconPath =
        bad > 0 ? new ThemeIcon('warning', new ThemeColor('list.warningForeground')) : new ThemeIcon('check');
      item.description = [
        look.about,
        ...(bad === 0 ? [] : [bad === 1 ? l10n.t('1 finding') : l10n.t('{0} findings', thousands(bad))]),
      ].join(' · ');
    }
    return item;
  }
}

/** Manifests of many data sets have the same name. */
function nameOf({ path, kind }: DataSet): string {
  return kind === 'manifest' ? join(basename(dirname(path)), basename(path)) : basename(path);
}

function findingItem({ set, finding: { severity, place, what } }: DataRow & { kind: 'finding' }): TreeItem {
  const folder = set.kind === 'manifest' ? dirname(set.path) : set.path;
  const item = new TreeItem(place.startsWith(`${folder}/`) ? place.slice(folder.length + 1) : place);
  item.description = what;
  item.tooltip = `${place}\n${what}`;
  const color = new ThemeColor(severity === 'error' ? 'list.errorForeground' : 'list.warningForeground');
  item.iconPath = new ThemeIcon(severity, color);
  const file = place.startsWith('/') ? place.replace(/:\d+$/, '') : join(folder, place);
  item.command = { command: 'unimiss.openViewer', title: 'Open in UniMiSS Viewer', arguments: [Uri.file(file)] };
  return item;
}

/** Folders and images in a folder, in natural order; of a data set that is a file, this file. */
async function filesIn(path: string): Promise<DataRow[]> {
  const uri = Uri.file(path);
  const { type } = await workspace.fs.stat(uri).then(
    (found) => found,
    () => ({ type: FileType.Unknown }),
  );
  if ((type & FileType.Directory) === 0)
    return (type & FileType.File) === 0 ? [] : [{ kind: imageName.test(path) ? 'image' : 'table', path }];
  const entries = (await workspace.fs.readDirectory(uri))
    .filter(([name, kind]) => !name.startsWith('.') && ((kind & FileType.Directory) !== 0 || imageName.test(name)))
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  const rows = entries.slice(0, mostRows).map(
    ([name, kind]): DataRow => ({
      kind: (kind & FileType.Directory) !== 0 ? 'folder' : 'image',
      path: join(path, name),
    }),
  );
  const rest = entries.length - rows.length;
  return rest > 0 ? [...rows, { kind: 'more', text: l10n.t('{0} more', thousands(rest)) }] : rows;
}

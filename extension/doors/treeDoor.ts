import {
  type Disposable,
  EventEmitter,
  type TreeDataProvider,
  type TreeView,
  type TreeViewOptions,
  window,
} from 'vscode';

/** A view of the side bar; its rows are made when the editor first asks for some, that is when it is in sight. */
export class TreeDoor<Row> implements Disposable {
  readonly view: TreeView<Row>;
  private readonly changed = new EventEmitter<Row | Row[] | undefined>();
  private made: TreeDataProvider<Row> | undefined;
  /** Whether the editor has asked for rows that could not be made. */
  private inVain = false;

  constructor(
    id: string,
    private readonly make: () => TreeDataProvider<Row>,
    options: Omit<TreeViewOptions<Row>, 'treeDataProvider'> = {},
  ) {
    const treeDataProvider: TreeDataProvider<Row> = {
      onDidChangeTreeData: this.changed.event,
      getChildren: (row) => this.rows.getChildren(row),
      getTreeItem: (row) => this.rows.getTreeItem(row),
      getParent: (row) => this.rows.getParent?.(row),
      resolveTreeItem: (item, row, token) => this.rows.resolveTreeItem?.(item, row, token) ?? item,
    };
    this.view = window.createTreeView(id, { ...options, treeDataProvider });
  }

  dispose(): void {
    this.view.dispose();
    this.changed.dispose();
  }

  /** For rows that could not be made when the editor asked. */
  askAgain(): void {
    if (this.inVain) this.changed.fire(undefined);
  }

  private get rows(): TreeDataProvider<Row> {
    if (!this.made) {
      try {
        this.made = this.make();
      } catch (error) {
        this.inVain = true;
        throw error;
      }
      this.inVain = false;
      this.made.onDidChangeTreeData?.((row) => this.changed.fire(row ?? undefined));
    }
    return this.made;
  }
}

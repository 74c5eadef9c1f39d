/** Those parts of the editor's interface that tests of single classes need. */
export class EventEmitter<T> {
  private readonly listeners = new Set<(value: T) => unknown>();
  readonly event = (listener: (value: T) => unknown) => {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  };
  fire(value: T): void {
    for (const listener of [...this.listeners]) listener(value);
  }
  dispose(): void {
    this.listeners.clear();
  }
}

export class Range {
  constructor(
    readonly start: unknown,
    readonly end: unknown,
  ) {}
}

export enum DiagnosticSeverity {
  Error = 0,
  Information = 2,
}

export class Diagnostic {
  source?: string;
  constructor(
    readonly range: Range,
    readonly message: string,
    readonly severity: DiagnosticSeverity,
  ) {}
}

export class Uri {
  private constructor(readonly fsPath: string) {}
  static file(path: string): Uri {
    return new Uri(path);
  }
  static joinPath(base: Uri, ...parts: string[]): Uri {
    return new Uri([base.fsPath, ...parts].join('/'));
  }
}

export enum QuickPickItemKind {
  Separator = -1,
  Default = 0,
}

export const window = {
  createTreeView: () => ({ selection: [], visible: true, dispose() {} }),
};

export const workspace = {
  createFileSystemWatcher: () => ({ onDidCreate() {}, onDidChange() {}, onDidDelete() {}, dispose() {} }),
  onDidChangeConfiguration: () => ({ dispose() {} }),
  getConfiguration: () => ({ get: (_name: string, usual: unknown) => usual }),
};

export const commands = {};

export enum TreeItemCollapsibleState {
  None = 0,
  Collapsed = 1,
  Expanded = 2,
}

export class TreeItem {
  constructor(
    readonly label: string,
    readonly collapsibleState?: TreeItemCollapsibleState,
  ) {}
}

export class ThemeColor {
  constructor(readonly id: string) {}
}

export class ThemeIcon {
  constructor(
    readonly id: string,
    readonly color?: ThemeColor,
  ) {}
}

export class MarkdownString {
  value = '';
  appendText(text: string): this {
    this.value += text;
    return this;
  }
  appendMarkdown(text: string): this {
    return this.appendText(text);
  }
}

/** As the editor's, without a translation. */
export const l10n = {
  t: (text: string, ...args: unknown[]) => text.replace(/\{(\d+)\}/g, (_, at) => String(args[Number(at)])),
};

export class Disposable {
  static from(...all: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const one of all) one.dispose();
    });
  }
  constructor(private end?: () => unknown) {}
  /** As the editor's, only the first call does something. */
  dispose(): void {
    const { end } = this;
    this.end = undefined;
    end?.();
  }
}

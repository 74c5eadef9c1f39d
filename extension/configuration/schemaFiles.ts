import { readFileSync, statSync } from 'node:fs';
import {
  Disposable,
  EventEmitter,
  type ExtensionContext,
  type FileChangeEvent,
  FileChangeType,
  type FileStat,
  FileSystemError,
  type FileSystemProvider,
  FileType,
  Uri,
  workspace,
} from 'vscode';
import type { DaemonClient } from '../client/daemonClient.ts';
import { schemaScheme } from './schemaScheme.ts';

const schemaUri = Uri.parse(`${schemaScheme}://extension/unimiss.schema.json`);

/** What the editor's JSON support gets while the daemon helps: nothing to complete, to explain or to check. */
const nothing = JSON.stringify({ allowTrailingCommas: true });

/**
 * The JSON Schema of configurations, as a read-only file that is empty while the daemon helps with them, so that nothing appears
 * twice. Without a daemon, and in an untrusted workspace, the editor's JSON support has the whole schema.
 */
export class SchemaFiles implements FileSystemProvider, Disposable {
  private readonly changed = new EventEmitter<FileChangeEvent[]>();
  private readonly watching: Disposable;
  private mtime = Date.now();
  private off: boolean;
  private readonly schema: string;

  readonly onDidChangeFile = this.changed.event;

  constructor(
    { extensionUri }: Pick<ExtensionContext, 'extensionUri'>,
    private readonly daemon: DaemonClient,
  ) {
    this.schema = Uri.joinPath(extensionUri, 'dist', 'extension', 'unimiss.schema.json').fsPath;
    this.off = this.daemonHelps();
    this.watching = Disposable.from(
      daemon.onDidChangeState(() => this.look()),
      workspace.onDidGrantWorkspaceTrust(() => this.look()),
    );
  }

  stat(uri: Uri): FileStat {
    requireSchema(uri);
    const size = this.off ? nothing.length : statSync(this.schema).size;
    return { type: FileType.File, ctime: 0, mtime: this.mtime, size };
  }

  readFile(uri: Uri): Uint8Array {
    requireSchema(uri);
    return this.off ? Buffer.from(nothing) : readFileSync(this.schema);
  }

  watch(): Disposable {
    return new Disposable(() => {}); // every change is told
  }

  readDirectory(): [string, FileType][] {
    return [];
  }

  writeFile = readOnly;
  createDirectory = readOnly;
  delete = readOnly;
  rename = readOnly;

  dispose(): void {
    this.watching.dispose();
    this.changed.dispose();
  }

  private daemonHelps(): boolean {
    return workspace.isTrusted && this.daemon.state.kind === 'connected';
  }

  private look(): void {
    const off = this.daemonHelps();
    if (off === this.off) return;
    this.off = off;
    this.mtime = Math.max(Date.now(), this.mtime + 1); // the editor reads again only what has another time
    this.changed.fire([{ type: FileChangeType.Changed, uri: schemaUri }]);
  }
}

function requireSchema(uri: Uri): void {
  if (uri.path !== schemaUri.path) throw FileSystemError.FileNotFound(uri);
}

function readOnly(uri: Uri): never {
  throw FileSystemError.NoPermissions(uri);
}

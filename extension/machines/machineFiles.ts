import {
  Disposable,
  EventEmitter,
  type FileChangeEvent,
  type FileStat,
  FileSystemError,
  type FileSystemProvider,
  FileType,
  l10n,
  type Uri,
  workspace,
} from 'vscode';
import { filesList, filesRead, filesStat } from '../../protocol/daemon/messages.ts';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import { notThere } from '../../protocol/files/messages.ts';
import { humanBytes } from '../../protocol/words.ts';
import type { DaemonClient } from '../client/daemonClient.ts';
import { machineScheme } from './machineUri.ts';

/** A file that is larger is not read whole over a line. The viewer reads images of any size: they are cut where they lie. */
const largest = 256 * 2 ** 20;

/**
 * Files of other machines in the editor, as `unimiss://HOST/path`, through the daemon there: only to be read, and only those that it
 * serves (protocol/files/messages.ts).
 */
export class MachineFiles implements FileSystemProvider, Disposable {
  private readonly changed = new EventEmitter<FileChangeEvent[]>();
  private readonly registration: Disposable;

  readonly onDidChangeFile = this.changed.event;

  constructor(private readonly machines: { clientOf(host: string): DaemonClient }) {
    // Last: the editor looks at the provider at once.
    this.registration = workspace.registerFileSystemProvider(machineScheme, this, {
      isReadonly: true,
      isCaseSensitive: true,
    });
  }

  async stat(uri: Uri): Promise<FileStat> {
    const { kind, size, modified, created } = await this.ask(uri, (daemon) =>
      daemon.request(filesStat, { path: uri.path }),
    );
    return { type: typeOf(kind), size, mtime: modified, ctime: created };
  }

  async readDirectory(uri: Uri): Promise<[string, FileType][]> {
    const { entries } = await this.ask(uri, (daemon) => daemon.request(filesList, { path: uri.path }));
    return entries.map(({ name, kind }) => [name, typeOf(kind)]);
  }

  async readFile(uri: Uri): Promise<Uint8Array> {
    const pieces: Buffer[] = [];
    for (let offset = 0, whole = 1; offset < whole; ) {
      const { data, size } = await this.ask(uri, (daemon) => daemon.request(filesRead, { path: uri.path, offset }));
      if (size > largest)
        throw FileSystemError.Unavailable(
          l10n.t(
            '{0} has {1}: too much for the line. Copy it with rsync, or open an image in the UniMiSS Viewer.',
            uri.path,
            humanBytes(size),
          ),
        );
      const piece = Buffer.from(data, 'base64');
      if (piece.length === 0 && offset < size)
        throw FileSystemError.Unavailable(l10n.t('{0} became shorter while it was read. Try again.', uri.path));
      pieces.push(piece);
      offset += piece.length;
      whole = size;
    }
    return Buffer.concat(pieces);
  }

  /** Nothing is watched: what changes on a machine is seen when it is opened again. */
  watch(): Disposable {
    return new Disposable(() => {});
  }

  createDirectory(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  delete(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  rename(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }

  /** Errors as the editor shows them. */
  private async ask<R>(uri: Uri, request: (daemon: DaemonClient) => Promise<R>): Promise<R> {
    try {
      return await request(this.machines.clientOf(uri.authority));
    } catch (error) {
      if (error instanceof UnimissError && error.code === 'data' && error.what === notThere)
        throw FileSystemError.FileNotFound(uri);
      throw FileSystemError.Unavailable(messageOf(error));
    }
  }
}

function typeOf(kind: 'file' | 'folder'): FileType {
  return kind === 'file' ? FileType.File : FileType.Directory;
}

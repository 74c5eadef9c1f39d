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
} from 'vscode';
import { filesList, filesStat } from '../../protocol/daemon/messages.ts';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import { notThere } from '../../protocol/files/messages.ts';
import { humanBytes } from '../../protocol/words.ts';
import type { DaemonClient } from '../client/daemonClient.ts';
import { readPieces } from './readPieces.ts';

/** An editor holds a file whole; one that is larger is not given to it. Copies come piece by piece (copyHere.ts), and the viewer
 * reads images of any size: they are cut where they lie. */
const largest = 256 * 2 ** 20;

/**
 * Files of other machines in the editor, as `unimiss://HOST/path`, through the daemon there: only to be read, and only those that it
 * serves (protocol/files/messages.ts).
 */
export class MachineFiles implements FileSystemProvider, Disposable {
  private readonly changed = new EventEmitter<FileChangeEvent[]>();

  readonly onDidChangeFile = this.changed.event;

  constructor(private readonly machines: { clientOf(host: string): DaemonClient }) {}

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
    return this.ask(uri, async (daemon) => {
      const pieces: Buffer[] = [];
      for await (const { bytes, size } of readPieces(daemon, uri.path)) {
        if (size > largest)
          throw new UnimissError('data', l10n.t('has {0}, too much for an editor', humanBytes(size)), {
            place: uri.path,
            remedy: l10n.t('Copy it with rsync, or open an image in the UniMiSS Viewer.'),
          });
        pieces.push(bytes);
      }
      return Buffer.concat(pieces);
    });
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

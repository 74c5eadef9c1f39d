import { Disposable, EventEmitter, type FileChangeEvent, type FileSystemProvider, workspace } from 'vscode';

/** Read-only files of a scheme; the first that is asked for makes their provider. */
export function fileDoor(scheme: string, make: () => FileSystemProvider): Disposable {
  const changed = new EventEmitter<FileChangeEvent[]>();
  let made: FileSystemProvider | undefined;
  const files = () => {
    if (!made) {
      made = make();
      made.onDidChangeFile((events) => changed.fire(events));
    }
    return made;
  };
  const door: FileSystemProvider = {
    onDidChangeFile: changed.event,
    // Neither provider watches: the schema tells every change, and of machines nothing is watched.
    watch: () => new Disposable(() => {}),
    stat: (uri) => files().stat(uri),
    readDirectory: (uri) => files().readDirectory(uri),
    readFile: (uri) => files().readFile(uri),
    createDirectory: (uri) => files().createDirectory(uri),
    writeFile: (uri, content, options) => files().writeFile(uri, content, options),
    delete: (uri, options) => files().delete(uri, options),
    rename: (from, to, options) => files().rename(from, to, options),
  };
  return Disposable.from(
    workspace.registerFileSystemProvider(scheme, door, { isReadonly: true, isCaseSensitive: true }),
    changed,
  );
}

import { basename } from 'node:path';
import { type CustomDocument, EventEmitter, type Uri } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import type { OpenedImage, Reading } from '../../protocol/viewer/page.ts';
import type { ValueRange } from '../../protocol/viewer/planes.ts';
import { ImageThread } from './imageThread.ts';

/** An image that is open in one or more editors. Its thread lives as long as it does. */
export class ImageDocument implements CustomDocument {
  private readonly news = new EventEmitter<Reading>();
  private readonly thread: ImageThread;
  /** More of the file has been read. */
  readonly onDidRead = this.news.event;
  readonly opened: Promise<OpenedImage>;
  readonly range: Promise<ValueRange>;
  reading: Reading = { share: 0 };

  constructor(
    readonly uri: Uri,
    threadFile: string,
  ) {
    this.thread = new ImageThread(threadFile, (reading) => {
      this.reading = reading;
      this.news.fire(reading);
    });
    this.opened = uri.scheme === 'file' ? this.thread.ask('open', { path: uri.fsPath }) : Promise.reject(notHere(uri));
    this.range = this.opened.then(() => this.thread.ask('range', null));
    // Whoever shows the image shows the reason; it may be closed before anybody does.
    for (const promise of [this.opened, this.range]) promise.catch(() => {});
  }

  get name(): string {
    return basename(this.uri.path);
  }

  ask: ImageThread['ask'] = (task, given) => this.thread.ask(task, given);

  dispose(): void {
    this.thread.dispose();
    this.news.dispose();
  }
}

function notHere(uri: Uri): UnimissError {
  return new UnimissError('data', `is not a file on the disk of this machine (${uri.scheme})`, {
    place: basename(uri.path),
    remedy: 'Copy it to a folder of the workspace.',
  });
}

import type { Worker } from 'node:worker_threads';
import { l10n } from 'vscode';
import type { ImageTask, ImageTasks, ThreadMessage, ThreadRequest } from '../../images/messages.ts';
import { fromErrorData } from '../../protocol/daemon/wireError.ts';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import { startThread } from '../../protocol/threads/startThread.ts';
import type { Reading } from '../../protocol/viewer/page.ts';
import type { ImageReader } from './imageReader.ts';

interface Pending {
  resolve(result: unknown): void;
  reject(error: UnimissError): void;
}

/** The thread that reads an image and cuts planes from it. It ends with its image, so that the memory is free again. */
export class ImageThread implements ImageReader {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private last = 0;
  private ended: UnimissError | undefined;

  /** @param file the bundled `images/thread.ts` */
  constructor(
    file: string,
    private readonly moved: (reading: Reading) => void,
  ) {
    this.worker = startThread(file);
    this.worker.on('message', (message: ThreadMessage) => this.receive(message));
    this.worker.on('error', (error) => this.end(messageOf(error)));
    this.worker.on('exit', () => this.end(l10n.t('it was closed')));
  }

  /** Rejects with the UnimissError of the thread, or one that says that the thread has ended. */
  ask<T extends ImageTask>(task: T, given: ImageTasks[T][0]): Promise<ImageTasks[T][1]> {
    return new Promise((resolve, reject) => {
      if (this.ended) {
        reject(this.ended);
        return;
      }
      const id = ++this.last;
      this.pending.set(id, { resolve: resolve as Pending['resolve'], reject });
      this.worker.postMessage({ id, task, given } as ThreadRequest);
    });
  }

  dispose(): void {
    void this.worker.terminate();
  }

  private receive(message: ThreadMessage): void {
    if ('reading' in message) {
      this.moved(message.reading);
      return;
    }
    const one = this.pending.get(message.id);
    this.pending.delete(message.id);
    if ('error' in message) one?.reject(fromErrorData(message.error));
    else one?.resolve(message.result);
  }

  private end(reason: string): void {
    this.ended ??= new UnimissError('internal', l10n.t('the thread that reads the image has ended ({0})', reason), {
      remedy: l10n.t(
        'Close the image and open it again. A very large image may need more memory than this machine has.',
      ),
    });
    for (const one of this.pending.values()) one.reject(this.ended);
    this.pending.clear();
  }
}

import type { Disposable, Uri } from 'vscode';
import type { ImageTask, ImageTasks } from '../../images/messages.ts';
import type { Reading } from '../../protocol/viewer/page.ts';

/** What reads an image and cuts planes from it: a thread of this process, or the daemon of the machine where the image lies. */
export interface ImageReader extends Disposable {
  /** Rejects with the UnimissError of the reader. */
  ask<T extends ImageTask>(task: T, given: ImageTasks[T][0]): Promise<ImageTasks[T][1]>;
}

/** Makes the reader of an image; undefined: there is none for files of its kind. @param moved called when more has been read */
export type MakeReader = (uri: Uri, moved: (reading: Reading) => void) => ImageReader | undefined;

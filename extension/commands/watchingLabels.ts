import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { commands, type Uri } from 'vscode';
import { messageOf } from '../../protocol/errors.ts';
import type { Context } from '../context.ts';
import { growingFile } from '../viewer/leftovers.ts';

/** How often the viewer looks whether more of an image has been labelled, ms. */
const lookEvery = 1000;

let last = 0;

/**
 * Draws the labels of a prediction over its image while they grow, in the viewer where the image is open.
 * @param predict is given the file in which the labels appear; it is removed afterwards
 */
export async function watchingLabels<T>(
  { extension, output }: Pick<Context, 'extension' | 'output'>,
  image: Uri,
  predict: (file: string) => Promise<T>,
): Promise<T> {
  const file = growingFile(extension.globalStorageUri.fsPath, ++last);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await rm(file, { force: true }); // of a window that was killed, whose process had this number
  let seen = 0;
  let looking: Promise<void> | undefined;
  const look = async () => {
    const written = await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0, // not begun yet
    );
    if (written === seen) return;
    seen = written;
    await commands.executeCommand('unimiss.growOverlay', image, file);
  };
  // The prediction goes on where its labels cannot be shown.
  const unshown = (error: unknown) => output.warn(messageOf(error));
  const timer = setInterval(() => {
    looking ??= look()
      .catch(unshown)
      .finally(() => {
        looking = undefined;
      });
  }, lookEvery);
  try {
    return await predict(file);
  } finally {
    clearInterval(timer);
    await looking;
    await Promise.resolve(commands.executeCommand('unimiss.growOverlay', image)).catch(unshown);
    await rm(file, { force: true });
  }
}

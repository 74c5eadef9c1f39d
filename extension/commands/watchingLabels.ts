import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { commands, type Uri } from 'vscode';
import type { Context } from '../context.ts';

/** How often the viewer looks whether more of an image has been labelled, ms. */
const lookEvery = 1000;

let last = 0;

/**
 * Draws the labels of a prediction over its image while they grow, in the viewer where the image is open.
 * @param predict is given the file in which the labels appear; it is removed afterwards
 */
export async function watchingLabels<T>(
  { extension }: Pick<Context, 'extension'>,
  image: Uri,
  predict: (file: string) => Promise<T>,
): Promise<T> {
  const file = join(extension.globalStorageUri.fsPath, 'growing', `${process.pid}-${++last}.nii`);
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
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }, lookEvery);
  try {
    return await predict(file);
  } finally {
    clearInterval(timer);
    await looking;
    await commands.executeCommand('unimiss.growOverlay', image);
    await rm(file, { force: true });
  }
}

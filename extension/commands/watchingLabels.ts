import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, posix } from 'node:path';
import { commands, workspace } from 'vscode';
import { messageOf } from '../../protocol/errors.ts';
import type { ContextAt } from '../context.ts';
import { uriOf } from '../machines/machineUri.ts';
import { addressThere } from '../machines/there.ts';
import { growingFile } from '../viewer/leftovers.ts';

/** How often the viewer looks whether more of an image has been labelled, ms. */
const lookEvery = 1000;

let last = 0;

/**
 * Draws the labels of a prediction over its image while they grow, in the viewer where the image is open. On another machine they grow in
 * the folder of the run, which the editor may read.
 * @param on image and run, as paths on the machine of the context
 * @param predict is given the path there of the file in which the labels appear; the daemon removes it at the end
 */
export async function watchingLabels<T>(
  ctx: ContextAt,
  on: { readonly image: string; readonly run: string },
  predict: (file: string) => Promise<T>,
): Promise<T> {
  const image = uriOf(addressThere(ctx, on.image));
  const file = await placeOf(ctx, on.run);
  const uri = uriOf(addressThere(ctx, file));
  let seen = 0;
  let looking: Promise<void> | undefined;
  const look = async () => {
    const written = await workspace.fs.stat(uri).then(
      ({ mtime }) => mtime,
      () => 0, // not begun yet, at its end already, or the line dropped
    );
    if (written === 0 || written === seen) return;
    seen = written;
    await commands.executeCommand('unimiss.growOverlay', image, file);
  };
  // The prediction goes on where its labels cannot be shown.
  const unshown = (error: unknown) => ctx.output.warn(messageOf(error));
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
  }
}

async function placeOf({ daemon, extension }: ContextAt, run: string): Promise<string> {
  if (daemon.machine !== undefined) return posix.join(run, `growing-${randomUUID()}.nii`);
  const file = growingFile(extension.globalStorageUri.fsPath, ++last);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await rm(file, { force: true }); // of a window that was killed, whose process had this number
  return file;
}

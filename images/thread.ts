/** The thread of the extension host that reads one image and cuts planes from it: reading blocks, and takes the image's memory. */
import { parentPort } from 'node:worker_threads';
import { toErrorData } from '../protocol/daemon/wireError.ts';
import { UnimissError } from '../protocol/errors.ts';
import type { Reading } from '../protocol/viewer/page.ts';
import { CoarseCache } from './coarseCache.ts';
import type { ThreadMessage, ThreadRequest } from './messages.ts';
import { OpenImage } from './openImage.ts';

/** News of reading come at most so often, ms. */
const newsEvery = 100;

let image: Promise<OpenImage> | undefined;
let told = 0;

function send(message: ThreadMessage): void {
  parentPort?.postMessage(message);
}

function moved(reading: Reading): void {
  const now = performance.now();
  if (reading.share < 1 && !reading.failed && now - told < newsEvery) return;
  told = now;
  send({ reading });
}

async function answer(request: ThreadRequest): Promise<unknown> {
  if (request.task === 'open') {
    const { path, volume = 0, cache } = request.given;
    const before = image;
    image = OpenImage.open(path, volume, moved, cache === undefined ? undefined : new CoarseCache(cache));
    // One that could not be opened has nothing to be closed.
    await before?.then((open) => open.close()).catch(() => {});
    return (await image).opened;
  }
  if (!image) throw new UnimissError('internal', 'no image is open');
  const open = await image;
  switch (request.task) {
    case 'plane':
      return open.plane(request.given);
    case 'range':
      return open.range();
    case 'findOverlays':
      return open.findOverlays();
    case 'ownLabels':
      return open.ownLabels();
    case 'header':
      return open.header(request.given.revealed);
    case 'addLayer':
      return open.addLayer(request.given.path, request.given.added, request.given);
    case 'reloadLayer':
      return open.reloadLayer(request.given.layer);
    case 'coarseNifti':
      return open.coarseNifti(request.given.layer);
    case 'largestError':
      return open.largestError(request.given);
    case 'bytes':
      return open.bytes;
    case 'removeLayer':
      return open.removeLayer(request.given.layer);
  }
}

parentPort?.on('message', (request: ThreadRequest) => {
  const { id } = request;
  answer(request).then(
    (result) => send({ id, result }),
    (error: unknown) => send({ id, error: toErrorData(error) }),
  );
});

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { imageAsk, imageOpen } from '../../../protocol/files/imageMessages.ts';
import { niftiFixture } from '../../data/formats/nifti.fixture.ts';
import type { RequestContext } from '../wire/handler.ts';
import type { Subscription } from '../wire/subscription.ts';
import { type ImageLimits, imageHandlers } from './images.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'um-images-')));
afterAll(() => rmSync(base, { recursive: true }));
for (const folder of ['set/imagesTr', 'set/labelsTr', 'set/labels', 'elsewhere'])
  mkdirSync(join(base, folder), { recursive: true });
/** 480 bytes of voxels. */
const image = niftiFixture({ size: [6, 5, 8], type: 4, values: Array.from({ length: 240 }, (_, n) => n % 3) });
for (const file of ['set/imagesTr/a_0000.nii', 'set/labelsTr/a.nii', 'elsewhere/b.nii'])
  writeFileSync(join(base, file), image);
symlinkSync(join(base, 'elsewhere/b.nii'), join(base, 'set/labels/a.nii'));
const path = join(base, 'set/imagesTr/a_0000.nii');

/** Serves the images alone. */
const served = {
  check: async (file: string) => {
    if (file.includes('imagesTr')) return file;
    throw new Error(`${file} is not served`);
  },
};
const opened: Subscription[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

function handlersOf(limits: ImageLimits) {
  const [open, ask] = imageHandlers(served as never, limits);
  if (!open || !ask) throw new Error('a handler is missing');
  const client = (): RequestContext => ({
    ...{ client: {}, signal: new AbortController().signal, send: async () => {}, unsubscribe: () => {} },
    subscribe: async (make) => {
      opened.push(await make('1', () => {}));
      return '1';
    },
  });
  const openAs = async (context: RequestContext) => {
    const { image: id } = (await open.answer(imageOpen.params.parse({ path }), context)) as { image: string };
    return (asked: object) => ask.answer(imageAsk.params.parse({ image: id, asked }), context);
  };
  return { client, openAs };
}

it('a client opens some images, and another client its own', async () => {
  const { client, openAs } = handlersOf({ images: 2, layers: 9, bytes: 1e9 });
  const one = client();
  await openAs(one);
  await openAs(one);
  await expect(openAs(one)).rejects.toThrow('2 images of this machine are open already');
  await openAs(client());
});

it('the voxels of all images fit into a part of the memory', async () => {
  const { client, openAs } = handlersOf({ images: 9, layers: 9, bytes: 1400 });
  const ask = await openAs(client());
  await ask({ task: 'open', given: {} });
  const add = { task: 'addLayer', given: { path, added: false } };
  expect(await ask(add)).toMatchObject({ answer: { layer: 1 } });
  // 960 bytes are open; a file of 832 bytes does not fit any more.
  await expect(openAs(client())).rejects.toThrow(
    'is too much: 960 B of images are open on this machine, of at most 1.4 KiB',
  );
  await ask({ task: 'removeLayer', given: { layer: 1 } });
  await openAs(client());
});

it('an image has some overlays; those that were removed do not count', async () => {
  const { client, openAs } = handlersOf({ images: 9, layers: 1, bytes: 1e9 });
  const ask = await openAs(client());
  await ask({ task: 'open', given: {} });
  const add = { task: 'addLayer', given: { path, added: false } };
  await ask(add);
  await expect(ask(add)).rejects.toThrow('has 1 overlays already');
  await ask({ task: 'removeLayer', given: { layer: 1 } });
  // Nor do several pass that come at once.
  const several = await Promise.allSettled([ask(add), ask(add), ask(add)]);
  expect(several.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
});

it('overlays that the image has by its name are shown, but none that a link brings', async () => {
  const { client, openAs } = handlersOf({ images: 9, layers: 9, bytes: 1e9 });
  const ask = await openAs(client());
  await ask({ task: 'open', given: {} });
  const [own, linked] = [join(base, 'set/labelsTr/a.nii'), join(base, 'set/labels/a.nii')];
  const add = (file: string) => ask({ task: 'addLayer', given: { path: file, added: false } });
  await expect(add(own)).rejects.toThrow('is not served');
  expect(await ask({ task: 'findOverlays', given: null })).toEqual({ answer: [own] });
  expect(await add(own)).toMatchObject({ answer: { layer: 1 } });
  await expect(add(linked)).rejects.toThrow('is not served');
});

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { z } from 'zod';
import type { ImageTask } from '../../../images/messages.ts';
import { cacheFolder } from '../../../protocol/cacheFolder.ts';
import { fromErrorData } from '../../../protocol/daemon/wireError.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import {
  imageAsk,
  type imageAsked,
  imageGone,
  imageOpen,
  imageReading,
} from '../../../protocol/files/imageMessages.ts';
import { isObject } from '../../../protocol/json.ts';
import { humanBytes } from '../../../protocol/words.ts';
import { type Handler, handle } from '../wire/handler.ts';
import type { Send, Subscription } from '../wire/subscription.ts';
import type { ServedFiles } from './servedFiles.ts';

type Asked = z.output<typeof imageAsked>;
type AddLayer = Extract<Asked, { task: 'addLayer' }>;

/** What makes an image take more or less memory. */
const changesMemory: readonly ImageTask[] = ['open', 'addLayer', 'reloadLayer', 'removeLayer'];

/** What clients may have open. */
export interface ImageLimits {
  /** Images of a client. */
  readonly images: number;
  /** Overlays of an image. */
  readonly layers: number;
  /** Bytes of all voxels in memory, of all clients: images are looked at beside trainings. */
  readonly bytes: number;
}
const usual: ImageLimits = { images: 32, layers: 32, bytes: totalmem() / 2 };

/** Images of this machine, for viewers on another one: each is read and cut in a thread of its own, as in the editor. */
export function imageHandlers(served: ServedFiles, limits: ImageLimits = usual): Handler[] {
  const open = new Map<string, ImageHere>();
  const roomFor = async (file: string) => {
    const used = [...open.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    const more = await stat(file).then((found) => (found.isFile() ? found.size : 0));
    if (used + more <= limits.bytes) return;
    const sizes = `${humanBytes(used)} of images are open on this machine, of at most ${humanBytes(limits.bytes)}`;
    throw new UnimissError('data', `is too much: ${sizes}`, { place: file, remedy: 'Close some images.' });
  };
  return [
    handle(imageOpen, async ({ path }, { client, subscribe, send }) => {
      const real = await served.check(path);
      if ([...open.values()].filter((one) => one.client === client).length >= limits.images)
        throw new UnimissError('data', `${limits.images} images of this machine are open already`, {
          remedy: 'Close some of them.',
        });
      await roomFor(real);
      const image = randomUUID();
      const subscription = await subscribe((id) => {
        const here = new ImageHere(real, client, id, send, () => open.delete(image));
        open.set(image, here);
        return here;
      });
      return { subscription, image };
    }),
    handle(imageAsk, async ({ image, asked }) => {
      const here = open.get(image);
      if (!here) throw new UnimissError('data', imageGone, { remedy: 'Open it again.' });
      const answer = await here.answer(asked.task === 'addLayer' ? await allowed(asked, here) : asked);
      if (answer instanceof Uint8Array) return { answer: null, bytes: Buffer.from(answer).toString('base64') };
      if (!isPiece(answer)) return { answer: answer ?? null };
      const { deflated, ...piece } = answer;
      return { answer: piece, bytes: Buffer.from(deflated).toString('base64') };
    }),
  ];

  /** With the real path of the layer's file, which must be served, or belong to the image. */
  async function allowed(asked: AddLayer, here: ImageHere): Promise<AddLayer> {
    if (here.layers >= limits.layers)
      throw new UnimissError('data', `has ${limits.layers} overlays already`, {
        place: here.path,
        remedy: 'Remove some of them.',
      });
    const { path } = asked.given;
    // Through no link: what the image's own names lead to lies with it.
    const own = here.found.includes(path) && (await realpath(path)) === path;
    const real = own ? path : await served.check(path);
    await roomFor(real);
    return { ...asked, given: { ...asked.given, path: real } };
  }
}

function isPiece(answer: unknown): answer is { deflated: Uint8Array } {
  return typeof answer === 'object' && answer !== null && 'deflated' in answer && answer.deflated instanceof Uint8Array;
}

/** One image, and the thread that has it: images/thread.ts, to which its messages belong. */
class ImageHere implements Subscription {
  private readonly worker = new Worker(threadFile());
  private readonly pending = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  private last = 0;
  private ended: UnimissError | undefined;
  /** Overlays that the thread found by the image's name: who may see the image may see them. */
  found: readonly unknown[] = [];
  private readonly shown = new Set<unknown>();
  /** Of its voxels and those of its layers. */
  bytes = 0;

  constructor(
    readonly path: string,
    readonly client: object,
    id: string,
    send: Send,
    private readonly closed: () => void,
  ) {
    this.worker.on('message', (message) => {
      if ('reading' in message) {
        // Of a client that is gone nobody hears.
        send(imageReading, { subscription: id, reading: message.reading }).catch(() => {});
        return;
      }
      const one = this.pending.get(message.id);
      this.pending.delete(message.id);
      if ('error' in message) one?.reject(fromErrorData(message.error));
      else one?.resolve(message.result);
    });
    this.worker.on('error', (error) => this.end(messageOf(error)));
    this.worker.on('exit', () => this.end('it was closed'));
  }

  /** Number of overlays. */
  get layers(): number {
    return this.shown.size;
  }

  async answer({ task, given }: Asked): Promise<unknown> {
    const cache = join(cacheFolder(), 'viewer');
    const answer = await this.ask(task, task === 'open' ? { ...given, path: this.path, cache } : given);
    if (task === 'findOverlays' && Array.isArray(answer)) this.found = answer;
    if (task === 'open') this.shown.clear();
    if (task === 'addLayer' && isObject(answer)) this.shown.add(answer.layer);
    if (task === 'removeLayer') this.shown.delete(given.layer);
    if (changesMemory.includes(task)) this.bytes = Number(await this.ask('bytes', null));
    return answer;
  }

  private ask(task: ImageTask, given: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.ended);
      const id = ++this.last;
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ id, task, given });
    });
  }

  notify(): void {}

  close(): void {
    this.closed();
    void this.worker.terminate();
  }

  private end(reason: string): void {
    this.ended ??= new UnimissError('internal', `the thread that reads the image has ended (${reason})`, {
      place: this.path,
      remedy: 'Close the image and open it again. A very large image may need more memory than that machine has.',
    });
    for (const one of this.pending.values()) one.reject(this.ended);
    this.pending.clear();
  }
}

function threadFile(): string {
  const places = ['./image-thread.js', '../../../dist/daemon/image-thread.js'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  );
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  throw new UnimissError('internal', 'the reader of images is not built', {
    place: places.at(-1),
    remedy: 'Run `npm run build`.',
  });
}

import { randomUUID } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
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
import { startThread } from '../../../protocol/threads/startThread.ts';
import { humanBytes } from '../../../protocol/words.ts';
import { threadFile } from '../../files/threadFile.ts';
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
  /** Checked and taken in one go, since requests come at once. @param more bytes of the file: its voxels take as many at least */
  const takeRoom = (file: string, more: number) => {
    const used = [...open.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    if (used + more <= limits.bytes) return;
    const sizes = `${humanBytes(used)} of images are open on this machine, of at most ${humanBytes(limits.bytes)}`;
    throw new UnimissError('data', `is too much: ${sizes}`, { place: file, remedy: 'Close some images.' });
  };
  return [
    handle(imageOpen, async ({ path }, { client, subscribe, send }) => {
      const real = await served.check(path);
      const size = await sizeOf(real);
      if ([...open.values()].filter((one) => one.client === client).length >= limits.images)
        throw new UnimissError('data', `${limits.images} images of this machine are open already`, {
          remedy: 'Close some of them.',
        });
      takeRoom(real, size);
      const image = randomUUID();
      const subscription = await subscribe((id) => {
        const here = new ImageHere(real, size, client, { id, send }, () => open.delete(image));
        open.set(image, here);
        return here;
      });
      return { subscription, image };
    }),
    handle(imageAsk, async ({ image, asked }) => {
      const here = open.get(image);
      if (!here) throw new UnimissError('data', imageGone, { remedy: 'Open it again.' });
      const answer = await (asked.task === 'addLayer' ? addLayer(asked, here) : here.answer(asked));
      if (answer instanceof Uint8Array) return { answer: null, bytes: Buffer.from(answer).toString('base64') };
      if (!isPiece(answer)) return { answer: answer ?? null };
      const { deflated, ...piece } = answer;
      return { answer: piece, bytes: Buffer.from(deflated).toString('base64') };
    }),
  ];

  /** Its file must be served, or belong to the image. */
  async function addLayer(asked: AddLayer, here: ImageHere): Promise<unknown> {
    const { path } = asked.given;
    // Through no link: what the image's own names lead to lies with it.
    const own = here.found.includes(path) && (await realpath(path)) === path;
    const real = own ? path : await served.check(path);
    const size = await sizeOf(real);
    if (here.layers >= limits.layers)
      throw new UnimissError('data', `has ${limits.layers} overlays already`, {
        place: here.path,
        remedy: 'Remove some of them.',
      });
    takeRoom(real, size);
    return here.adding(size, () => here.answer({ ...asked, given: { ...asked.given, path: real } }));
  }
}

/** Bytes of a file; of a folder, whose files are counted when they have been read, none. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  return found.isFile() ? found.size : 0;
}

function isPiece(answer: unknown): answer is { deflated: Uint8Array } {
  return typeof answer === 'object' && answer !== null && 'deflated' in answer && answer.deflated instanceof Uint8Array;
}

/** One image, and the thread that has it: images/thread.ts, to which its messages belong. */
class ImageHere implements Subscription {
  private readonly worker = startThread(threadFile('image-thread'));
  private readonly pending = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  private last = 0;
  private ended: UnimissError | undefined;
  /** Overlays that the thread found by the image's name: who may see the image may see them. */
  found: readonly unknown[] = [];
  private readonly shown = new Set<unknown>();
  /** Overlays that are being read, and the bytes of their files. */
  private readonly coming: number[] = [];

  /** @param known bytes of its voxels and those of its layers; at first, of its file */
  constructor(
    readonly path: string,
    private known: number,
    readonly client: object,
    { id, send }: { readonly id: string; readonly send: Send },
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

  /** Number of overlays, with those that come. */
  get layers(): number {
    return this.shown.size + this.coming.length;
  }

  get bytes(): number {
    return this.coming.reduce((sum, bytes) => sum + bytes, this.known);
  }

  /** Reads an overlay, which counts from now on. @param bytes of its file */
  async adding<R>(bytes: number, read: () => Promise<R>): Promise<R> {
    this.coming.push(bytes);
    try {
      return await read();
    } finally {
      this.coming.splice(this.coming.indexOf(bytes), 1);
    }
  }

  async answer({ task, given }: Asked): Promise<unknown> {
    const cache = join(cacheFolder(), 'viewer');
    const answer = await this.ask(task, task === 'open' ? { ...given, path: this.path, cache } : given);
    if (task === 'findOverlays' && Array.isArray(answer)) this.found = answer;
    if (task === 'open') this.shown.clear();
    if (task === 'addLayer' && isObject(answer)) this.shown.add(answer.layer);
    if (task === 'removeLayer') this.shown.delete(given.layer);
    if (changesMemory.includes(task)) this.known = Number(await this.ask('bytes', null));
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

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { z } from 'zod';
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
import { type Handler, handle } from '../wire/handler.ts';
import type { Send, Subscription } from '../wire/subscription.ts';
import type { ServedFiles } from './servedFiles.ts';

type Asked = z.output<typeof imageAsked>;

/** Each may take as much memory as its image has voxels. */
const mostImages = 32;

/** Images of this machine, for viewers on another one: each is read and cut in a thread of its own, as in the editor. */
export function imageHandlers(served: ServedFiles): Handler[] {
  const open = new Map<string, ImageHere>();
  return [
    handle(imageOpen, async ({ path }, { subscribe, send }) => {
      const real = await served.check(path);
      if (open.size >= mostImages)
        throw new UnimissError('data', `${mostImages} images of this machine are open already`, {
          remedy: 'Close some of them.',
        });
      const image = randomUUID();
      const subscription = await subscribe((id) => {
        const here = new ImageHere(real, id, send, () => open.delete(image));
        open.set(image, here);
        return here;
      });
      return { subscription, image };
    }),
    handle(imageAsk, async ({ image, asked }) => {
      const here = open.get(image);
      if (!here) throw new UnimissError('data', imageGone, { remedy: 'Open it again.' });
      const given =
        asked.task === 'addLayer' ? { ...asked.given, path: await served.check(asked.given.path) } : asked.given;
      const answer = await here.ask({ task: asked.task, given } as Asked);
      if (answer instanceof Uint8Array) return { answer: null, bytes: Buffer.from(answer).toString('base64') };
      if (!isPiece(answer)) return { answer: answer ?? null };
      const { deflated, ...piece } = answer;
      return { answer: piece, bytes: Buffer.from(deflated).toString('base64') };
    }),
  ];
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

  constructor(
    private readonly path: string,
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

  ask({ task, given }: Asked): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.ended);
      const id = ++this.last;
      this.pending.set(id, { resolve, reject });
      const cache = join(cacheFolder(), 'viewer');
      this.worker.postMessage({ id, task, given: task === 'open' ? { ...given, path: this.path, cache } : given });
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

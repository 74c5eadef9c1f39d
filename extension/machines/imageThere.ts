import type { ImageTask, ImageTasks } from '../../images/messages.ts';
import { filesOpen, imageAsk, imageGone, imageOpen, imageReading } from '../../protocol/daemon/messages.ts';
import type { ParamsOf } from '../../protocol/daemon/rpc.ts';
import { isConnectionLost } from '../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { parseAddress } from '../../protocol/machines/address.ts';
import type { Reading } from '../../protocol/viewer/page.ts';
import type { DaemonClient, Subscription } from '../client/daemonClient.ts';
import type { ImageReader } from '../viewer/imageReader.ts';

/** After how many lost connections a question is given up: what it asks may be what ends the daemon there. */
const mostLosses = 3;

type Asked = ParamsOf<typeof imageAsk>['asked'];

/** What makes an image as it is. The daemon there shows overlays that it found itself: it looks for them again first. */
const madeBy: readonly ImageTask[] = ['open', 'findOverlays', 'addLayer', 'removeLayer'];

/**
 * An image on another machine: the daemon there reads it, and cuts and compresses its planes. After a lost connection it is opened again
 * as it was, and questions that were on their way are asked again.
 */
export class ImageThere implements ImageReader {
  private image: Promise<string> | undefined;
  private subscription: Promise<Subscription> | undefined;
  /** What made the image as it is, in order: the volume, and the layers. */
  private done: Asked[] = [];
  private opened = false;
  private closed = false;

  constructor(
    private readonly daemon: Pick<DaemonClient, 'request' | 'subscribe'>,
    private readonly path: string,
    private readonly moved: (reading: Reading) => void,
  ) {}

  async ask<T extends ImageTask>(task: T, given: ImageTasks[T][0]): Promise<ImageTasks[T][1]> {
    const asked = askedOf(task, given);
    if (asked.task === 'open') this.done = []; // another volume has no layers
    // The user named it.
    if (asked.task === 'addLayer' && asked.given.added)
      await this.daemon.request(filesOpen, { path: asked.given.path });
    for (let losses = 0; ; ) {
      const image = this.present();
      try {
        const answer = await this.send(await image, asked);
        if (madeBy.includes(asked.task)) this.done.push(asked);
        return answer as ImageTasks[T][1];
      } catch (error) {
        if (this.closed || !isGone(error) || ++losses > mostLosses) throw error;
        if (this.image === image) this.image = undefined;
      }
    }
  }

  dispose(): void {
    this.closed = true;
    // It ends with the connection in any case.
    this.subscription?.then((subscription) => subscription.end()).catch(() => {});
  }

  private present(): Promise<string> {
    if (this.image) return this.image;
    const image = this.open();
    this.image = image;
    image.catch(() => {
      if (this.image === image) this.image = undefined; // the next question opens it again
    });
    return image;
  }

  private async open(): Promise<string> {
    const { path } = this;
    // A new daemon does not know what the old one was allowed to show.
    if (this.opened) await this.daemon.request(filesOpen, { path });
    const image = await new Promise<string>((resolve, reject) => {
      const subscription = this.daemon.subscribe(
        imageOpen,
        { path },
        (answer) => resolve(answer.image),
        imageReading,
        ({ reading }) => this.moved(reading),
      );
      this.subscription = subscription;
      subscription.catch(reject);
    });
    this.opened = true;
    for (const asked of this.done) await this.send(image, asked);
    return image;
  }

  private async send(image: string, asked: Asked): Promise<unknown> {
    const { answer, bytes } = await this.daemon.request(imageAsk, { image, asked });
    if (bytes === undefined) return answer ?? undefined;
    const received = new Uint8Array(Buffer.from(bytes, 'base64'));
    return asked.task === 'plane' && typeof answer === 'object' ? { ...answer, deflated: received } : received;
  }
}

/** Whether an error means that the connection ended, and the image with it. */
function isGone(error: unknown): boolean {
  return error instanceof UnimissError && (error.what === imageGone || isConnectionLost(error.details.cause));
}

/** A task of the thread as the protocol has it. Layers of an image lie on its machine. */
function askedOf<T extends ImageTask>(task: T, given: ImageTasks[T][0]): Asked {
  if (task === 'addLayer') {
    const { path, ...rest } = given as ImageTasks['addLayer'][0];
    return { task, given: { path: parseAddress(path).path, ...rest } };
  }
  if (task !== 'open') return { task, given } as Asked;
  // Its daemon chooses where it caches.
  const { volume } = given as ImageTasks['open'][0];
  return { task: 'open', given: { ...(volume !== undefined && { volume }) } };
}

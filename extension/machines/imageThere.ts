import { l10n } from 'vscode';
import type { ImageTask, ImageTasks } from '../../images/messages.ts';
import { filesOpen, imageAsk, imageGone, imageOpen, imageReading } from '../../protocol/daemon/messages.ts';
import type { ParamsOf } from '../../protocol/daemon/rpc.ts';
import { isConnectionLost } from '../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import { parseAddress } from '../../protocol/machines/address.ts';
import type { Reading } from '../../protocol/viewer/page.ts';
import type { DaemonClient, Subscription } from '../client/daemonClient.ts';
import type { ImageReader } from '../viewer/imageReader.ts';

/** After how many lost connections a question is given up: what it asks may be what ends the daemon there. */
const mostLosses = 3;

type Asked = ParamsOf<typeof imageAsk>['asked'];

/** A layer as it was asked for, and its number there: another one after the image was opened again; undefined where its file is gone. */
interface LayerThere {
  readonly asked: Asked & { task: 'addLayer' };
  there: number | undefined;
}

/**
 * An image on another machine: the daemon there reads it, and cuts and compresses its planes. After a lost connection it is opened again
 * as it was, and questions that were on their way are asked again.
 */
export class ImageThere implements ImageReader {
  private image: Promise<string> | undefined;
  private subscription: Promise<Subscription> | undefined;
  /** What opened its volume. */
  private first: Asked | undefined;
  /** The daemon there shows overlays that it found itself: it looks for them again first. */
  private looked: Asked | undefined;
  /** By their numbers here, from 1 on; undefined: removed. */
  private layers: (LayerThere | undefined)[] = [];
  private opened = false;
  private closed = false;

  constructor(
    private readonly daemon: Pick<DaemonClient, 'request' | 'subscribe'>,
    private readonly path: string,
    private readonly moved: (reading: Reading) => void,
  ) {}

  async ask<T extends ImageTask>(task: T, given: ImageTasks[T][0]): Promise<ImageTasks[T][1]> {
    const asked = askedOf(task, given);
    if (asked.task === 'open') {
      this.first = undefined;
      this.looked = undefined;
      this.layers = []; // another volume has none
    }
    if (asked.task === 'removeLayer') return (await this.remove(asked.given.layer)) as ImageTasks[T][1];
    // The user named it.
    if (asked.task === 'addLayer' && asked.given.added)
      await this.daemon.request(filesOpen, { path: asked.given.path });
    for (let losses = 0; ; ) {
      const image = this.present();
      try {
        const answer = await this.send(await image, asked);
        if (asked.task === 'open') this.first = asked;
        if (asked.task === 'findOverlays') this.looked = asked;
        return (asked.task === 'addLayer' ? this.keep(asked, answer) : answer) as ImageTasks[T][1];
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
    for (const layer of this.layers) if (layer) layer.there = undefined;
    for (const asked of [this.first, this.looked]) if (asked) await this.send(image, asked);
    for (const layer of this.layers) if (layer) layer.there = await this.addAgain(image, layer.asked);
    return image;
  }

  /** Of an image that is not open at present, a layer is gone already. */
  private async remove(number: number): Promise<null> {
    const { image } = this;
    const layer = this.layers[number - 1];
    this.layers[number - 1] = undefined;
    if (!image || !layer) return null;
    try {
      const open = await image;
      if (layer.there !== undefined) await this.send(open, { task: 'removeLayer', given: { layer: layer.there } });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    return null;
  }

  private async addAgain(image: string, asked: Asked): Promise<number | undefined> {
    try {
      return layerIn(await this.send(image, asked));
    } catch (error) {
      // The image is there without it.
      if (error instanceof UnimissError && error.code === 'data' && !isGone(error)) return undefined;
      throw error;
    }
  }

  /** @returns the answer with the layer's number here */
  private keep(asked: LayerThere['asked'], answer: unknown): unknown {
    const there = layerIn(answer);
    const known = this.layers.findIndex((layer) => layer && layer.there === there);
    const number = known < 0 ? this.layers.push({ asked, there }) : known + 1;
    return withLayer(answer, number);
  }

  /** Numbers of layers are those here, in the question (of all but `removeLayer`) and in the answer. */
  private async send(image: string, asked: Asked): Promise<unknown> {
    const { answer: said, bytes } = await this.daemon.request(imageAsk, { image, asked: this.askedThere(asked) });
    const number = layerIn(asked.given);
    const answer = number === undefined ? said : withLayer(said, number);
    if (bytes === undefined) return answer ?? undefined;
    const received = new Uint8Array(Buffer.from(bytes, 'base64'));
    return asked.task === 'plane' && typeof answer === 'object' ? { ...answer, deflated: received } : received;
  }

  private askedThere(asked: Asked): Asked {
    if (asked.task === 'largestError') {
      const { reference, prediction } = asked.given;
      return { ...asked, given: { reference: this.layerThere(reference), prediction: this.layerThere(prediction) } };
    }
    if (asked.task === 'plane' && asked.given.layer !== undefined)
      return { ...asked, given: { ...asked.given, layer: this.layerThere(asked.given.layer) } };
    if (asked.task === 'reloadLayer' || asked.task === 'coarseNifti')
      return { ...asked, given: { layer: this.layerThere(asked.given.layer) } };
    return asked;
  }

  private layerThere(layer: number): number {
    if (layer === 0) return 0; // the image's own
    const there = this.layers[layer - 1]?.there;
    if (there !== undefined) return there;
    throw new UnimissError('data', l10n.t('the file of this overlay no longer exists'), {
      remedy: l10n.t('Remove the overlay.'),
    });
  }
}

function layerIn(answer: unknown): number | undefined {
  return isObject(answer) && typeof answer.layer === 'number' ? answer.layer : undefined;
}

function withLayer(answer: unknown, layer: number): unknown {
  return isObject(answer) && 'layer' in answer ? { ...answer, layer } : answer;
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

import { expect, it } from 'vitest';
import { ErrorCodes, ResponseError } from 'vscode-jsonrpc';
import { filesOpen, imageAsk, imageGone } from '../../protocol/daemon/messages.ts';
import { fromWireError } from '../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { Reading } from '../../protocol/viewer/page.ts';
import type { DaemonClient } from '../client/daemonClient.ts';
import { ImageThere } from './imageThere.ts';

/** A daemon whose images live as long as its connection. */
class FakeDaemon {
  opened = 0;
  asked: string[] = [];
  /** Fails the next question, with the connection. */
  cutNext = false;
  /** Fails all questions for planes, with the connection. */
  cutPlanes = false;
  tell: (reading: Reading) => void = () => {};
  /** Files that are gone. */
  gone = new Set<string>();
  private alive = new Set<string>();
  private layers = 0;

  cut(): void {
    this.alive.clear();
  }

  get client(): Pick<DaemonClient, 'request' | 'subscribe'> {
    const subscribe = async (
      _type: unknown,
      { path }: { path: string },
      answered: unknown,
      _: unknown,
      updated: unknown,
    ) => {
      const image = `image ${++this.opened}`;
      this.layers = 0;
      this.asked.push(`open ${path}`);
      this.alive.add(image);
      this.tell = (reading) => (updated as (update: unknown) => void)({ reading });
      (answered as (answer: unknown) => void)({ image, subscription: '1' });
      return { end: async () => this.cut() };
    };
    const request = async (type: unknown, params: never) => {
      if (type === filesOpen) return this.asked.push(`allow ${(params as { path: string }).path}`);
      const { image, asked } = params as {
        image: string;
        asked: { task: string; given: { path?: string; layer?: number } };
      };
      if (this.cutNext || (this.cutPlanes && asked.task === 'plane')) {
        this.cutNext = false;
        this.cut();
        throw fromWireError(new ResponseError(ErrorCodes.PendingResponseRejected, 'cut'), imageAsk.method);
      }
      if (!this.alive.has(image)) throw new UnimissError('data', imageGone);
      const { path, layer } = asked.given ?? {};
      if (path && this.gone.has(path)) throw new UnimissError('data', 'is not there');
      this.asked.push(`${asked.task}${path ? ` ${path}` : ''}${layer === undefined ? '' : ` ${layer}`}`);
      if (asked.task === 'addLayer') return { answer: { layer: ++this.layers } };
      if (asked.task === 'plane') return { answer: { plane: 'axial', layer: layer ?? 0 }, bytes: 'AQI=' };
      if (asked.task === 'header') throw new UnimissError('data', 'no header');
      return { answer: null };
    };
    return { request, subscribe } as unknown as Pick<DaemonClient, 'request' | 'subscribe'>;
  }
}

const plane = { plane: 'axial', index: 3 } as const;

it('asks the daemon of its machine, whose layers lie there', async () => {
  const daemon = new FakeDaemon();
  const news: number[] = [];
  const image = new ImageThere(daemon.client, '/ct.nii.gz', ({ share }) => news.push(share));
  await image.ask('open', { path: 'ignored', cache: '/cache/here' });
  expect(await image.ask('plane', plane)).toEqual({ plane: 'axial', layer: 0, deflated: new Uint8Array([1, 2]) });
  expect(await image.ask('ownLabels', null)).toBeUndefined();
  await image.ask('addLayer', { path: 'unimiss://gpu1/labels.nii.gz', added: true });
  await expect(image.ask('header', { revealed: false })).rejects.toThrow('no header');
  daemon.tell({ share: 0.5 });
  expect(news).toEqual([0.5]);
  expect(daemon.asked).toEqual([
    ...['open /ct.nii.gz', 'open', 'plane', 'ownLabels', 'allow /labels.nii.gz', 'addLayer /labels.nii.gz'],
    'header',
  ]);
  expect(daemon.opened).toBe(1);
});

it('after a lost connection, is opened again with its layers, and the question is asked again', async () => {
  const daemon = new FakeDaemon();
  const image = new ImageThere(daemon.client, '/ct.nii.gz', () => {});
  await image.ask('open', { path: '' });
  await image.ask('addLayer', { path: '/a.nii.gz', added: false });
  await image.ask('addLayer', { path: '/b.nii.gz', added: false });
  await image.ask('addLayer', { path: '/a.nii.gz', added: false });
  expect(await image.ask('addLayer', { path: '/c.nii.gz', added: false })).toEqual({ layer: 4 });
  await image.ask('removeLayer', { layer: 1 });
  for (const cut of [() => daemon.cut(), () => (daemon.cutNext = true)]) {
    cut();
    daemon.asked = [];
    // Several at once open it once.
    const before = daemon.opened;
    await Promise.all([image.ask('plane', plane), image.ask('plane', plane), image.ask('range', null)]);
    expect(daemon.opened).toBe(before + 1);
    expect(daemon.asked.slice(0, 6)).toEqual([
      ...[
        'allow /ct.nii.gz',
        'open /ct.nii.gz',
        'open',
        'addLayer /b.nii.gz',
        'addLayer /a.nii.gz',
        'addLayer /c.nii.gz',
      ],
    ]);
    expect(daemon.asked.filter((one) => one === 'plane')).toHaveLength(2);
    // Numbers here stay as they were.
    expect(await image.ask('plane', { ...plane, layer: 4 })).toMatchObject({ layer: 4 });
    expect(daemon.asked.at(-1)).toBe('plane 3');
    expect(await image.ask('reloadLayer', { layer: 2 })).toBeUndefined();
    expect(daemon.asked.at(-1)).toBe('reloadLayer 1');
  }
  // An overlay whose file is gone does not take the image with it.
  daemon.gone.add('/b.nii.gz');
  daemon.cut();
  expect(await image.ask('plane', { ...plane, layer: 4 })).toMatchObject({ layer: 4 });
  await expect(image.ask('plane', { ...plane, layer: 2 })).rejects.toThrow('no longer exists');
  expect(await image.ask('removeLayer', { layer: 2 })).toBeNull();
  image.dispose();
  daemon.cut();
  await expect(image.ask('plane', plane)).rejects.toThrow(imageGone);
});

it('a question that ends the daemon each time is given up', async () => {
  const daemon = new FakeDaemon();
  const image = new ImageThere(daemon.client, '/ct.nii.gz', () => {});
  await image.ask('open', { path: '' });
  daemon.cutPlanes = true;
  await expect(image.ask('plane', plane)).rejects.toThrow('ended before it answered');
  expect(daemon.opened).toBe(4);
  expect(await image.ask('range', null)).toBeUndefined();
});

it('overlays that the daemon found are found again before they are added again', async () => {
  const daemon = new FakeDaemon();
  const image = new ImageThere(daemon.client, '/ct.nii.gz', () => {});
  await image.ask('open', { path: '' });
  await image.ask('findOverlays', null);
  await image.ask('addLayer', { path: '/labels.nii.gz', added: false });
  daemon.cut();
  daemon.asked = [];
  await image.ask('plane', plane);
  expect(daemon.asked.slice(2)).toEqual(['open', 'findOverlays', 'addLayer /labels.nii.gz', 'plane']);
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { LayerInfo, LayerLook } from '../../protocol/viewer/layers.ts';
import { EventEmitter, Uri } from '../../test/extension/vscode.ts';

const fromPage = new EventEmitter<unknown>();
const closed = new EventEmitter<void>();
const posted: unknown[] = [];
vi.mock('vscode', async () => ({
  ...(await import('../../test/extension/vscode.ts')),
  ViewColumn: { Beside: -2 },
  window: {
    createWebviewPanel: () => ({
      webview: { onDidReceiveMessage: fromPage.event, postMessage: async (message: unknown) => posted.push(message) },
      onDidDispose: closed.event,
    }),
  },
}));

const { VolumePanels, volumeOf } = await import('./volumePanels.ts');

const labels = [1, 2].map((value) => ({
  ...{ value, name: `label ${value}`, voxels: 8, milliliters: 8 },
  largest: [0, 0, 0] as const,
}));
const layer = (number: number, content: LayerInfo['content']): LayerInfo => ({
  ...{ layer: number, name: `${number}.nii`, path: `/${number}.nii`, added: false, content, notices: [] },
});
const document = {
  ...{ uri: Uri.file('/ct.nii'), name: 'ct.nii', opened: Promise.resolve({ kind: 'volume' }) },
  range: Promise.resolve({ low: -1000, high: 1000, ct: true }),
  layers: [
    layer(1, { kind: 'values', range: { low: 0, high: 1 } }),
    layer(2, { kind: 'labels', labels }),
    layer(3, { kind: 'labels', labels }),
  ],
  /** A file that tells which layer it is of. */
  ask: async (_: string, { layer: asked }: { layer: number }) => Uint8Array.of(asked),
};
const look: LayerLook = { visible: true, style: 'fill', opacity: 1, hidden: [] };
const off = { ...look, visible: false };

it('the 3D view draws the first label map that is on, without the labels that are off', async () => {
  const drawn = async (looks: Readonly<Record<number, LayerLook>>) => {
    const { message } = await volumeOf(document as never, { lookOf: (info) => looks[info.layer] });
    expect(message.image).toEqual(Uint8Array.of(0));
    const own = message.labels;
    return own && [own.file[0], ...own.list.map(({ name, shown }) => `${name}: ${shown ? 'on' : 'off'}`)];
  };
  expect(await drawn({})).toEqual([2, 'label 1: on', 'label 2: on']);
  expect(await drawn({ 2: { ...look, hidden: [2] } })).toEqual([2, 'label 1: on', 'label 2: off']);
  expect(await drawn({ 2: off, 3: { ...look, hidden: [1] } })).toEqual([3, 'label 1: off', 'label 2: on']);
  expect(await drawn({ 2: off, 3: off })).toBeUndefined();
});

it('the 3D view follows the planes while it is open, and is told of changes only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'um-volume-'));
  mkdirSync(join(folder, 'dist', 'webviews'), { recursive: true });
  for (const name of ['volume.js', 'volume.css']) writeFileSync(join(folder, 'dist', 'webviews', name), '');
  const failures: unknown[] = [];
  const panels = new VolumePanels(Uri.file(folder) as never, (error) => failures.push(error));
  let now = look;
  const changed = new EventEmitter<void>();
  const lookOf = ({ layer: of }: LayerInfo) => (of === 2 ? now : undefined);
  await panels.show(document as never, { lookOf, onDidChangeLooks: changed.event });
  changed.fire(); // before the page is there
  fromPage.fire({ type: 'ready' });
  await expect.poll(() => posted.length).toBe(1);
  const change = (to: LayerLook) => {
    now = to;
    changed.fire();
    return posted.splice(0);
  };
  posted.length = 0;
  const list = (one: boolean, two: boolean) => [
    {
      type: 'labels',
      list: [
        { value: 1, name: 'label 1', shown: one },
        { value: 2, name: 'label 2', shown: two },
      ],
    },
  ];
  expect(change({ ...look, opacity: 0.5 })).toEqual([]);
  expect(change({ ...look, hidden: [2] })).toEqual(list(true, false));
  expect(change({ ...off, hidden: [2] })).toEqual(list(false, false));
  expect(change(look)).toEqual(list(true, true));
  closed.fire();
  expect(change(off)).toEqual([]);
  expect(failures).toEqual([]);
  rmSync(folder, { recursive: true });
});

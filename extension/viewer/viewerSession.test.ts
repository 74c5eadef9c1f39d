import { beforeEach, expect, it, vi } from 'vitest';
import type { ImageSettings } from '../../protocol/viewer/settings.ts';
import { EventEmitter } from '../../test/extension/vscode.ts';
import { ViewerSession } from './viewerSession.ts';

const called = vi.hoisted(() => [] as unknown[][]);
vi.mock('vscode', async () => ({
  ...(await import('../../test/extension/vscode.ts')),
  Uri: {
    file: (path: string) => ({ scheme: 'file', path }),
    from: (parts: object) => ({ ...parts }),
  },
  commands: { executeCommand: async (...args: unknown[]) => called.push(args) },
  workspace: {
    onDidChangeConfiguration: () => ({ dispose: () => {} }),
    onDidGrantWorkspaceTrust: () => ({ dispose: () => {} }),
  },
}));

beforeEach(() => {
  called.length = 0;
});

const settings: ImageSettings = {
  ...{ place: [0, 0, 0], smooth: true, crosshair: true, linked: false, colors: 'grey', looks: {} },
  added: ['/labels.nii', '/home/me/secret.nii', '/found.nii'],
};

/** An editor of an image with these layers: [path, whether the user added it]. */
function open(uri: object, layers: readonly (readonly [string, boolean])[] = []) {
  const fromPage = new EventEmitter<unknown>();
  const quiet = () => ({ dispose: () => {} });
  const panel = {
    webview: { onDidReceiveMessage: fromPage.event, postMessage: async () => true },
    onDidDispose: quiet,
  };
  const document = {
    ...{ uri, name: 'ct.nii', layers: layers.map(([path, added], i) => ({ layer: i + 1, path, added })) },
    ...{ onDidRead: quiet, onDidReopen: quiet, onDidAddLayer: quiet, onDidRemoveLayer: quiet, onDidFailLayer: quiet },
  };
  const kept: ImageSettings[] = [];
  const failures: unknown[] = [];
  const session = new ViewerSession(
    panel as never,
    document as never,
    { get: () => undefined, set: async (_: unknown, one: ImageSettings) => void kept.push(one) } as never,
    (error) => failures.push(error),
    () => [],
    async () => {},
    () => {},
  );
  return { session, kept, failures, say: (message: unknown) => fromPage.fire(message) };
}

it('only overlays that the user has added are opened again, whatever the page says', () => {
  const { kept, say, failures } = open({ scheme: 'file', fsPath: '/ct.nii' }, [
    ['/labels.nii', true],
    ['/found.nii', false],
  ]);
  say({ type: 'settings', settings });
  expect(failures).toEqual([]);
  expect(kept).toEqual([{ ...settings, added: ['/labels.nii'] }]);
});

it.each([
  [
    { scheme: 'file', fsPath: '/ct.nii' },
    { scheme: 'file', path: '/ct/1.nii' },
  ],
  [
    { scheme: 'unimiss', authority: 'gpu1', path: '/ct.nii' },
    { scheme: 'unimiss', authority: 'gpu1', path: '/ct/1.nii' },
  ],
])('a similar image of %j is opened on its machine', (uri, similar) => {
  const { session, say } = open(uri);
  session.showSimilar({ run: 'a', images: 3, neighbours: [{ image: '/ct/1.nii', similarity: 0.9 }] });
  say({ type: 'openSimilar', index: 0 });
  say({ type: 'openSimilar', index: 1 });
  expect(called).toEqual([['unimiss.openViewer', similar]]);
});

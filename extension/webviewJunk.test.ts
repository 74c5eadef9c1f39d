import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { metricsRequest } from '../protocol/metrics/page.ts';
import { viewerRequest } from '../protocol/viewer/page.ts';
import { EventEmitter, Uri } from '../test/extension/vscode.ts';

/** Pages are a border: whatever one sends, its host does only what is declared, and fails with a message, never by itself. */

const called: unknown[] = [];
vi.mock('vscode', async () => ({
  ...(await import('../test/extension/vscode.ts')),
  commands: { executeCommand: async (...args: unknown[]) => called.push(args) },
  window: {
    showOpenDialog: async () => called.push('showOpenDialog'),
    showSaveDialog: async () => called.push('showSaveDialog'),
  },
  workspace: {
    onDidChangeConfiguration: () => ({ dispose: () => {} }),
    onDidGrantWorkspaceTrust: () => ({ dispose: () => {} }),
  },
}));

const { MetricsPanel } = await import('./metrics/metricsPanel.ts');
const { ViewerSession } = await import('./viewer/viewerSession.ts');

function panelOf() {
  const fromPage = new EventEmitter<unknown>();
  const posted: unknown[] = [];
  const panel = {
    ...{ visible: true, active: true, title: '', reveal: () => {} },
    webview: {
      onDidReceiveMessage: fromPage.event,
      postMessage: async (message: unknown) => posted.push(message),
      html: '',
    },
    onDidChangeViewState: new EventEmitter<unknown>().event,
    onDidDispose: new EventEmitter<void>().event,
  };
  return { panel, posted, say: (message: unknown) => fromPage.fire(message) };
}

/** Anything, and things that look like messages. */
const names = [
  'ready',
  'plane',
  'settings',
  'header',
  'moved',
  'removeLayer',
  'nextCase',
  'screenshot',
  'act',
  'openImage',
  'case',
];
const junk = fc.oneof(
  fc.anything(),
  fc.record({ type: fc.constantFrom(...names), value: fc.anything() }),
  fc
    .tuple(
      fc.constantFrom(...names),
      fc.dictionary(fc.constantFrom('plane', 'index', 'layer', 'run', 'path', 'by'), fc.anything()),
    )
    .map(([type, rest]) => ({ ...rest, type })),
);

it('the panel of curves', () => {
  const { panel, posted, say } = panelOf();
  const [failures, acted, asked]: unknown[][] = [[], [], []];
  const daemon = {
    onDidConnect: new EventEmitter<void>().event,
    subscribe: (...args: unknown[]) => {
      asked?.push(args);
      return Promise.resolve({ end: async () => {} });
    },
  };
  new MetricsPanel(
    panel as never,
    daemon as never,
    ['/runs/a'],
    Uri.file('/extension') as never,
    { script: '', style: '' },
    (error) => failures?.push(error),
    (request) => acted?.push(request),
    () => {},
  );
  const before = asked?.length;
  fc.assert(
    fc.property(
      junk.filter((message) => !metricsRequest.safeParse(message).success),
      (message) => {
        const known = failures?.length ?? 0;
        say(message);
        expect(failures).toHaveLength(known + 1);
        expect(String(failures?.at(-1))).toContain('does not declare');
      },
    ),
  );
  expect([acted, posted]).toEqual([[], []]);
  expect(asked).toHaveLength(before ?? -1);
});

it('the viewer', () => {
  const { panel, posted, say } = panelOf();
  const failures: unknown[] = [];
  const quiet = new EventEmitter<never>().event;
  const tasks: unknown[] = [];
  const document = {
    ...{ uri: Uri.file('/ct.nii'), name: 'ct.nii', layers: [] },
    ...{ onDidRead: quiet, onDidReopen: quiet, onDidAddLayer: quiet, onDidRemoveLayer: quiet, onDidFailLayer: quiet },
    ask: async (...args: unknown[]) => tasks.push(args),
    removeLayer: async (layer: number) => tasks.push(layer),
  };
  const memory = { get: () => undefined, set: async (...args: unknown[]) => tasks.push(args) };
  new ViewerSession(
    panel as never,
    document as never,
    memory as never,
    (error) => failures.push(error),
    () => [],
    async (tour) => void tasks.push(tour),
    () => {},
  );
  fc.assert(
    fc.property(
      junk.filter((message) => !viewerRequest.safeParse(message).success),
      (message) => {
        const known = failures.length;
        say(message);
        expect(failures).toHaveLength(known + 1);
        expect(String(failures.at(-1))).toContain('not declared');
      },
    ),
  );
  expect([tasks, posted, called]).toEqual([[], [], []]);
});

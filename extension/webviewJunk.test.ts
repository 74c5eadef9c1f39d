import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { embeddedPlanesId } from '../protocol/evaluation/planeLabels.ts';
import { metricsRequest } from '../protocol/metrics/page.ts';
import { viewerRequest } from '../protocol/viewer/page.ts';
import { volumeRequest } from '../protocol/viewer/volume.ts';
import { EventEmitter, Uri } from '../test/extension/vscode.ts';

/** Pages are a border: whatever one sends, its host does only what is declared, and fails with a message, never by itself. */

const called: unknown[] = [];
vi.mock('vscode', async () => ({
  ...(await import('../test/extension/vscode.ts')),
  commands: { executeCommand: async (...args: unknown[]) => called.push(args) },
  window: {
    showOpenDialog: async () => called.push('showOpenDialog'),
    showSaveDialog: async () => called.push('showSaveDialog'),
    registerWebviewPanelSerializer: () => ({ dispose: () => {} }),
    createWebviewPanel: () => made.panel,
  },
  ViewColumn: { Active: -1, Beside: -2 },
  workspace: {
    fs: {
      stat: async ({ fsPath }: { fsPath: string }) => stat(fsPath),
      readFile: async ({ fsPath }: { fsPath: string }) => readFile(fsPath),
    },
    onDidChangeConfiguration: () => ({ dispose: () => {} }),
    onDidGrantWorkspaceTrust: () => ({ dispose: () => {} }),
  },
}));

/** The panel that is made next. */
let made = panelOf();
const { MetricsPanel } = await import('./metrics/metricsPanel.ts');
const { ReportPanels, reportRequest } = await import('./report/reportPanels.ts');
const { ViewerSession } = await import('./viewer/viewerSession.ts');
const { VolumePanels } = await import('./viewer/volumePanels.ts');

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
  'dropped',
  'seen',
  'volume3D',
  'attention',
  'openSimilar',
  'openCase',
];
const junk = fc.oneof(
  fc.anything(),
  fc.record({ type: fc.constantFrom(...names), value: fc.anything() }),
  fc
    .tuple(
      fc.constantFrom(...names),
      fc.dictionary(
        fc.constantFrom('plane', 'index', 'layer', 'run', 'path', 'by', 'uris', 'case', 'epoch'),
        fc.anything(),
      ),
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
    { extensionUri: Uri.file('/extension') as never, assets: { script: '', style: '' } },
    { failed: (error) => failures?.push(error), act: (request) => acted?.push(request), closed: () => {} },
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

it('the report', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'um-junk-'));
  const file = join(folder, 'report.html');
  writeFileSync(file, `<html><body><script type="application/json" id="${embeddedPlanesId}">[]</script></body></html>`);
  mkdirSync(join(folder, 'dist', 'webviews'), { recursive: true });
  for (const name of ['report.js', 'report.css']) writeFileSync(join(folder, 'dist', 'webviews', name), '');
  const failures: unknown[] = [];
  called.length = 0;
  made = panelOf();
  const { say, posted } = made;
  const panels = new ReportPanels({ extensionUri: Uri.file(folder) } as never, (error) => failures.push(error));
  await panels.show(file, 'Report');
  fc.assert(
    fc.property(
      junk.filter((message) => !reportRequest.safeParse(message).success),
      (message) => {
        const known = failures.length;
        say(message);
        expect(failures).toHaveLength(known + 1);
        expect(String(failures.at(-1))).toContain('not declared');
      },
    ),
  );
  expect([posted, called]).toEqual([[], []]);
  say({ type: 'openCase', case: 'one' });
  expect(called).toEqual([['unimiss.openCase', file, 'one']]);
  rmSync(folder, { recursive: true });
});

it('the 3D view', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'um-junk-'));
  mkdirSync(join(folder, 'dist', 'webviews'), { recursive: true });
  for (const name of ['volume.js', 'volume.css']) writeFileSync(join(folder, 'dist', 'webviews', name), '');
  const [failures, tasks]: unknown[][] = [[], []];
  made = panelOf();
  const { say, posted } = made;
  const document = {
    ...{ uri: Uri.file('/ct.nii'), name: 'ct.nii', layers: [] },
    ...{ opened: Promise.resolve({ kind: 'volume' }), range: Promise.resolve({ low: 0, high: 1, ct: false }) },
    ask: async (...args: unknown[]) => tasks?.push(args),
  };
  const panels = new VolumePanels(Uri.file(folder) as never, (error) => failures?.push(error));
  await panels.show(document as never, { lookOf: () => undefined, onDidChangeLooks: () => ({ dispose() {} }) });
  fc.assert(
    fc.property(
      junk.filter((message) => !volumeRequest.safeParse(message).success),
      (message) => {
        const known = failures?.length ?? 0;
        say(message);
        expect(failures).toHaveLength(known + 1);
        expect(String(failures?.at(-1))).toContain('not declared');
      },
    ),
  );
  expect([tasks, posted]).toEqual([[], []]);
  rmSync(folder, { recursive: true });
});

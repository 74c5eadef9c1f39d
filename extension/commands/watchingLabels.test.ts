import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { Uri } from '../../test/extension/vscode.ts';
import { watchingLabels } from './watchingLabels.ts';

const shown = vi.hoisted(() => ({ calls: [] as unknown[][], fails: false }));
vi.mock('vscode', async () => ({
  ...(await import('../../test/extension/vscode.ts')),
  commands: {
    executeCommand: async (...args: unknown[]) => {
      shown.calls.push(args);
      if (shown.fails) throw new Error('the editor is closing');
    },
  },
  workspace: { fs: { stat: async ({ fsPath }: Uri) => ({ mtime: statSync(fsPath).mtimeMs }) } },
}));

const storage = mkdtempSync(join(tmpdir(), 'um-watching-'));
afterAll(() => rmSync(storage, { recursive: true }));
afterEach(() => {
  vi.useRealTimers();
  shown.calls.length = 0;
  shown.fails = false;
});

/** Predicts for three looks; after the first, there are labels. */
async function watch(warnings: unknown[]): Promise<string> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const ctx = {
    extension: { globalStorageUri: Uri.file(storage) },
    output: { warn: (message: unknown) => warnings.push(message) },
    daemon: { machine: undefined },
  };
  return watchingLabels(ctx as never, { image: '/ct.nii', run: '/runs/a' }, async (file) => {
    vi.advanceTimersByTime(1000);
    writeFileSync(file, 'labels');
    await vi.waitFor(() => {
      vi.advanceTimersByTime(1000);
      if (shown.calls.length === 0) throw new Error('not shown yet');
    });
    return file;
  });
}

it('shows labels while they grow, and lets go of them at the end', async () => {
  const warnings: unknown[] = [];
  const file = await watch(warnings);
  expect(shown.calls).toEqual([
    ['unimiss.growOverlay', Uri.file('/ct.nii'), file],
    ['unimiss.growOverlay', Uri.file('/ct.nii')],
  ]);
  expect(warnings).toEqual([]);
});

it('a prediction goes on where its labels cannot be shown, and nothing stays unhandled', async () => {
  shown.fails = true;
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', hear);
  const warnings: unknown[] = [];
  await watch(warnings);
  await new Promise(setImmediate);
  process.off('unhandledRejection', hear);
  expect(warnings).toEqual(['the editor is closing', 'the editor is closing']);
  expect(unhandled).toEqual([]);
});

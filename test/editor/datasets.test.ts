import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePhantoms } from '../../daemon/data/phantoms/write.ts';
import { Editor } from './kit/editor.ts';
import type { Window } from './kit/window.ts';
import { eventually, explainFailures, packVsix, skipped, testTimeout, titled } from './support.ts';

describe.skipIf(skipped !== '')(titled('the view of data sets'), { timeout: testTimeout }, () => {
  let editor: Editor;
  let window: Window;
  const rows = async () =>
    (await window.treeItems('Data Sets')).map(({ label, description }) => `${label}: ${description}`);
  const inside = (path: string) => join(editor.workspace, path);
  const row = async (name: RegExp) => (await window.tree('Data Sets')).getByRole('treeitem', { name }).first();

  beforeAll(async () => {
    editor = await Editor.open({
      vsix: packVsix(),
      workspace: {
        'chest.unimiss.jsonc': '{ "data": { "paths": ["chest/images"] } }',
        'listed.unimiss.jsonc': '{ "data": { "manifest": "chest/manifest.csv" } }',
      },
      env: (folder) => ({ UNIMISS_RUNS: join(folder, 'runs'), XDG_CACHE_HOME: join(folder, 'cache') }),
    });
    window = editor.window;
    await writePhantoms(inside('chest'), { seed: 1, volumes: 0, images: 8, size: { image: 96 } });
    writeFileSync(inside('chest/images/broken.png'), 'no picture');
    mkdirSync(inside('more'));
    copyFileSync(inside('chest/images/0001.png'), inside('more/one.png'));
    // Only rows in sight can be seen, and three views share the height.
    await window.runCommand('UniMiSS: Focus on Data Sets View');
    for (const view of ['Runs', 'Machines']) await window.fold(view, true);
  }, testTimeout);
  afterAll(() => editor?.close());
  explainFailures(() => editor);

  it('lists what the configurations name, with counts and findings', async () => {
    await eventually(rows).toEqual(['images: 8 2D images · 1 finding', 'chest/manifest.csv: 8 2D images']);
    await (await row(/^images/)).click();
    await eventually(rows).toContain('Findings: 1');
    expect(await rows()).toHaveLength(1 + 1 + 9 + 1);
    await (await row(/^Findings/)).click();
    await eventually(async () => (await rows())[2]).toMatch(/^broken\.png: /);
  });

  it('shows a small picture of an image, and opens it in the viewer', async () => {
    const hover = window.page.locator('.workbench-hover', { has: window.page.locator('img') });
    await window.pictures('data-sets', async () => {
      await window.page.mouse.move(700, 300); // what hovered in another theme goes
      await (await row(/^0003\.png/)).hover();
      await window.visible('the picture', hover);
    });
    expect(await hover.innerText()).toMatch(/96\s×\s96\s·\spng/);
    await (await row(/^0003\.png/)).click();
    await window.visible('the viewer', window.page.locator('.tab.active', { hasText: '0003.png' }));
    await (await window.webview()).locator('canvas').first().waitFor({ timeout: editor.timeout });
  });

  it('opens the manifest of a configuration', async () => {
    await (await row(/^chest\/manifest\.csv/)).click();
    await (await row(/^manifest\.csv/)).click();
    await window.visible('the list', window.page.locator('.tab.active', { hasText: 'manifest.csv' }));
  });

  it('takes a folder in, looks at it again, and lets it go', async () => {
    await window.runCommand('UniMiSS: Add Folder to Data Sets…');
    await window.answerFileDialog(inside('more'));
    await eventually(rows).toContain('more: 1 2D image');
    copyFileSync(inside('chest/images/0002.png'), inside('more/two.png'));
    await window.runCommand('UniMiSS: Check Data Sets Again');
    await eventually(rows).toContain('more: 2 2D images');
    // Its menu finds the row while all data sets are looked at again and again.
    await window.inHost((vscode) => {
      for (let i = 0; i < 60; i++) setTimeout(() => vscode.commands.executeCommand('unimiss.checkDataSet'), 50 * i);
    });
    await window.choose(await row(/^more/), 'Remove from Data Sets');
    await eventually(async () => (await rows()).some((one) => one.startsWith('more'))).toBe(false);
    expect(editor.hostErrors()).toBe('');
  });
});

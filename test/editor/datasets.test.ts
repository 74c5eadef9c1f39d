import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Editor } from './kit/editor.ts';
import type { Window } from './kit/window.ts';
import { eventually, explainFailures, packVsix, skipped, testTimeout, titled } from './support.ts';

const picture = (shade: number) =>
  encode({ width: 80, height: 60, data: new Uint8Array(80 * 60).fill(shade), channels: 1, depth: 8 });

describe.skipIf(skipped !== '')(titled('the view of data sets'), { timeout: testTimeout }, () => {
  let editor: Editor;
  let window: Window;
  const rows = async () =>
    (await window.treeItems('Data Sets')).map(({ label, description }) => `${label}: ${description}`);
  const row = async (name: RegExp) => (await window.tree('Data Sets')).getByRole('treeitem', { name }).first();

  beforeAll(async () => {
    editor = await Editor.open({
      vsix: packVsix(),
      // Only rows in sight can be seen, and three views share the height.
      viewport: { width: 1280, height: 1500 },
      workspace: { 'chest.unimiss.jsonc': '{ "data": { "paths": ["images"] } }' },
      env: (folder) => ({ UNIMISS_RUNS: join(folder, 'runs'), XDG_CACHE_HOME: join(folder, 'cache') }),
    });
    window = editor.window;
    for (const folder of ['images', 'more']) mkdirSync(join(editor.workspace, folder));
    for (let i = 0; i < 8; i++) writeFileSync(join(editor.workspace, 'images', `${i}.png`), picture(30 * i));
    writeFileSync(join(editor.workspace, 'images', 'broken.png'), 'no picture');
    writeFileSync(join(editor.workspace, 'more', 'one.png'), picture(200));
  }, testTimeout);
  afterAll(() => editor?.close());
  explainFailures(() => editor);

  it('lists what the configurations name, with counts and findings', async () => {
    await window.runCommand('UniMiSS: Focus on Data Sets View');
    await eventually(rows).toEqual(['images: 8 2D images · 1 finding']);
    await (await row(/^images/)).click();
    await eventually(rows).toContain('Findings: 1');
    expect(await rows()).toHaveLength(1 + 1 + 9);
    await (await row(/^Findings/)).click();
    await eventually(async () => (await rows())[2]).toMatch(/^broken\.png: /);
  });

  it('shows a small picture of an image, and opens it in the viewer', async () => {
    const hover = window.page.locator('.workbench-hover', { has: window.page.locator('img') });
    for (const theme of ['light', 'dark'] as const) {
      await window.setTheme(theme);
      await window.page.mouse.move(700, 300); // what hovered in another theme goes
      await (await row(/^3\.png/)).hover();
      await window.visible('the picture', hover);
      await window.screenshot(`data-sets-${theme}`);
    }
    expect(await hover.innerText()).toMatch(/80\s×\s60\s·\spng/);
    await (await row(/^3\.png/)).click();
    await window.visible('the viewer', window.page.locator('.tab.active', { hasText: '3.png' }));
    await (await window.webview()).locator('canvas').first().waitFor({ timeout: editor.timeout });
  });

  it('takes a folder in, looks at it again, and lets it go', async () => {
    await window.runCommand('UniMiSS: Add Folder to Data Sets…');
    await window.answerFileDialog(join(editor.workspace, 'more'));
    await eventually(rows).toContain('more: 1 2D image');
    writeFileSync(join(editor.workspace, 'more', 'two.png'), picture(100));
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

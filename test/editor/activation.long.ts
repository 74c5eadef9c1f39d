import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Editor } from './kit/editor.ts';
import { packVsix, skipped, testTimeout, titled } from './support.ts';

/** What the editor itself measured of the extension's activation: see "Developer: Show Running Extensions". */
describe.skipIf(skipped !== '')(titled('activation'), { timeout: testTimeout }, () => {
  let editor: Editor;
  beforeAll(async () => {
    editor = await Editor.open({
      vsix: packVsix(),
      workspace: {},
      env: (folder) => ({ UNIMISS_RUNS: join(folder, 'runs') }),
    });
  }, testTimeout);
  afterAll(() => editor?.close());

  it('takes less than 100 ms', async () => {
    const { window } = editor;
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      if (round > 0) await window.reload();
      await window.runCommand('Developer: Show Running Extensions');
      const row = window.page.locator('.runtime-extensions-editor .extension', { hasText: 'unimiss' });
      const time = await window.visible('its activation', row.locator('.activation-time', { hasText: /\d+ms/ }));
      times.push(Number(/(\d+)ms/.exec(await time.innerText())?.[1]));
      await window.runCommand('View: Close All Editors');
    }
    console.log(`activation in ${times.length} windows, ms: ${times.join(', ')}`);
    // The least, since a busy machine only adds to it.
    expect(Math.min(...times)).toBeLessThan(100);
  });
});

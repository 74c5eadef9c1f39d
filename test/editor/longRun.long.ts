import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunFolder } from '../../daemon/runs/runFolder.ts';
import { parseConfig } from '../../protocol/parseConfig.ts';
import { resolveConfig } from '../../protocol/resolveConfig.ts';
import { madeUpRecords } from '../metrics/records.ts';
import { Editor } from './kit/editor.ts';
import { packVsix, skipped, titled } from './support.ts';

const steps = 100_000;

describe.skipIf(skipped !== '')(titled('the panel of a run of 100,000 steps'), () => {
  let editor: Editor;
  beforeAll(async () => {
    const env = (folder: string) => ({ UNIMISS_RUNS: join(folder, 'runs') });
    editor = await Editor.open({ vsix: packVsix(), workspace: {}, env });
    const text = '{ "name": "long", "data": { "paths": ["images"] }, "model": { "preset": "nano" } }';
    const config = resolveConfig(parseConfig(text, 'long'), { baseDir: editor.workspace });
    const run = await RunFolder.create(editor.inside('runs'), text, config);
    const lines = madeUpRecords({ steps, stepsPerEpoch: 500 }).map((record) => JSON.stringify(record));
    writeFileSync(run.recordsFile, `${lines.join('\n')}\n`);
    expect(readFileSync(run.recordsFile).length).toBeGreaterThan(10 * 2 ** 20);
  }, 300_000);
  afterAll(() => editor?.close());

  it('opens in under a second and scrolls without a hitch', async () => {
    const { window } = editor;
    await window.runCommand('UniMiSS: Focus on Runs View');
    const row = (await window.tree('Runs')).getByRole('treeitem', { name: /^long/ });
    const open = async () => {
      const began = performance.now();
      await row.click();
      const panel = await window.webview();
      await panel.locator('[data-series="steps:loss"] canvas').first().waitFor();
      await panel.locator('.tiles').getByText('Loss in 3D').waitFor();
      return { panel, ms: performance.now() - began };
    };
    const first = await open();
    await window.runCommand('View: Close Editor');
    const again = await open();
    await window.screenshot('long-run');

    const frames = await again.panel.locator('main').evaluate(async (main) => {
      const scroller = document.scrollingElement!;
      const times: number[] = [];
      let last = await new Promise(requestAnimationFrame);
      for (let at = 0; at < main.scrollHeight - innerHeight; at += 40) {
        scroller.scrollTop = at;
        const now = await new Promise<number>(requestAnimationFrame);
        times.push(now - last);
        last = now;
      }
      return times.sort((a, b) => a - b);
    });
    const at = (share: number) => frames[Math.floor(share * (frames.length - 1))]!;
    console.log(
      `opened in ${first.ms.toFixed(0)} ms, again in ${again.ms.toFixed(0)} ms; ${frames.length} frames of scrolling: ` +
        `median ${at(0.5).toFixed(1)} ms, 95 % under ${at(0.95).toFixed(1)} ms, longest ${at(1).toFixed(1)} ms`,
    );
    expect(again.ms).toBeLessThan(1000);
    expect(at(0.95)).toBeLessThan(50);
  });
});

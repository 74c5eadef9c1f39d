import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePhantoms } from '../../daemon/data/phantoms/write.ts';
import { contrast } from './contrast.ts';
import { Editor } from './kit/editor.ts';
import type { Theme } from './kit/surroundings.ts';
import type { Window } from './kit/window.ts';
import { eventually, packVsix, pathWithoutNode, skipped, titled } from './support.ts';

/** Minutes of training on two cores: more than the tests need, so that they stop it. */
const configuration = `{
  // Phantoms, so that no real image is needed.
  "name": "phantoms",
  "data": { "manifest": "phantoms/manifest.csv" },
  "model": { "preset": "nano" },
  "train": { "epochs": 400, "interval": 2, "batch": { "2D": 4, "3D": 2 }, "stepsPerEpoch": 12 },
  "engine": { "executor": "graph" },
  "checkpoint": { "everyEpochs": 4 }
}
`;

describe.skipIf(skipped !== '')(titled('training in the editor'), { timeout: 150_000 }, () => {
  let editor: Editor;
  let window: Window;
  let runs: string;

  beforeAll(async () => {
    editor = await Editor.open({
      vsix: packVsix(),
      workspace: { 'phantoms.unimiss.jsonc': configuration },
      timeout: 40_000,
      env: (folder) => ({
        UNIMISS_RUNS: join(folder, 'runs'),
        XDG_STATE_HOME: join(folder, 'state'),
        PATH: pathWithoutNode(join(folder, 'bin')),
      }),
    });
    window = editor.window;
    runs = editor.inside('runs');
    await writePhantoms(join(editor.workspace, 'phantoms'), { seed: 1, volumes: 8, images: 16 });
  }, 300_000);
  afterAll(() => editor?.close());

  /** The name of the run's folder, which is its panel's title too. */
  const runName = () => readdirSync(runs).find((name) => name.startsWith('phantoms-'))!;
  const panel = () => window.webview(runName());
  const records = () => join(runs, runName(), 'records.jsonl');
  /** What the tree says of the run. */
  const told = async () =>
    (await window.treeItems('Runs')).find(({ label }) => label === 'phantoms')?.description ?? '';
  const toldWhen = (pattern: RegExp) => eventually(told).toMatch(pattern);
  const stepsShown = async (shown: FrameLocator) =>
    Number(/([\d,]+) of [\d,]+ steps/.exec(await shown.locator('.tiles').innerText())?.[1]?.replaceAll(',', '') ?? -1);
  const stepsPass = async (shown: FrameLocator, step: number) =>
    eventually(() => stepsShown(shown)).toBeGreaterThan(step);
  /** An action on the run, by its button in the tree. */
  const press = async (name: string) => {
    const row = (await window.tree('Runs')).getByRole('treeitem', { name: /^phantoms/ });
    await row.hover();
    await row.getByRole('button', { name }).click();
  };

  it('starts a run from the palette, without a Node on the PATH', async () => {
    await window.runCommand('UniMiSS: Start Pre-training');
    await window.pick('phantoms.unimiss.jsonc');
    await toldWhen(/^\d+ %/);
    await editor.window.statusBar(/UniMiSS: \d+ %/);
  });

  it('shows curves and previews that move', async () => {
    const shown = await panel();
    await stepsPass(shown, 2);
    const picture = () =>
      shown
        .locator('[data-series="steps:loss"] canvas')
        .first()
        .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const before = { steps: await stepsShown(shown), picture: await picture() };
    await stepsPass(shown, before.steps + 5);
    await eventually(picture).not.toBe(before.picture);

    const previewStep = async () =>
      Number(/step ([\d,]+)/.exec(await shown.locator('.previews').innerText())?.[1]?.replaceAll(',', '') ?? -1);
    await eventually(() => shown.locator('.preview-set img').count()).toBeGreaterThan(1);
    await eventually(() => shown.locator('.preview-set.strips img').count()).toBeGreaterThan(1);
    const loaded = await shown
      .locator('.preview-set img')
      .evaluateAll((images) => images.every((image) => (image as HTMLImageElement).naturalWidth > 1));
    expect(loaded).toBe(true);
    const first = await previewStep();
    await eventually(previewStep).toBeGreaterThan(first);
    await window.screenshot('training-dark');
    await shown.locator('.preview-set').first().scrollIntoViewIfNeeded();
    await window.screenshot('training-previews-dark');
  });

  it('finds panel, view and run as they were after the window was reloaded', async () => {
    const before = await panel();
    await before.getByText('Log scale').click();
    const step = await stepsShown(before);
    await window.reload();
    const shown = await panel();
    await stepsPass(shown, step);
    expect(
      await shown
        .locator('vscode-checkbox')
        .first()
        .evaluate((box) => (box as HTMLInputElement).checked),
    ).toBe(true);
    await toldWhen(/^\d+ %/);
  });

  it('pauses and goes on', async () => {
    await press('Pause');
    await toldWhen(/^paused/);
    const size = statSync(records()).size;
    await window.runCommand('UniMiSS: Resume');
    await toldWhen(/^\d+ %/);
    await eventually(() => statSync(records()).size).toBeGreaterThan(size);
  });

  it.each(['light', 'hc-dark', 'hc-light', 'dark'] as Theme[])('is drawn in the theme %s', async (theme) => {
    await window.page.mouse.move(640, 780); // away from buttons, whose hovers would be on the picture
    await window.setTheme(theme);
    const shown = await panel();
    await shown.locator('h1').scrollIntoViewIfNeeded();
    await window.settle();
    await window.screenshot(`training-${theme}`);
    const least = theme.startsWith('hc') ? 7 : 4.5;
    for (const text of ['h1', '.tiles dd', '.tiles dt'])
      await eventually(() => contrast(shown.locator(text))).toBeGreaterThanOrEqual(least);
  });

  it('stops with a checkpoint, and resumes from it', async () => {
    await window.runCommand('UniMiSS: Stop');
    await toldWhen(/stopped/);
    const checkpoints = readdirSync(join(runs, runName(), 'checkpoints')).filter((name) =>
      name.endsWith('.safetensors'),
    );
    expect(checkpoints.length).toBeGreaterThan(0);
    const stopped = Math.max(...checkpoints.map((name) => Number(/(\d+)\.safetensors$/.exec(name)![1])));
    await press('Resume');
    await toldWhen(/^\d+ %/);
    await stepsPass(await panel(), stopped);
    const resumed = readFileSync(records(), 'utf8')
      .split('\n')
      .find((line) => line.includes('"event":"resume"'));
    expect(JSON.parse(resumed!).step).toBe(stopped);
  });

  it('says when the process of a run dies, and resumes it on request', async () => {
    const trainer = trainerOf(join(runs, runName()));
    process.kill(trainer, 'SIGKILL');
    const notification = await window.notification(/SIGKILL/);
    await window.screenshot('trainer-died');
    await notification.getByRole('button', { name: 'Resume' }).click();
    await toldWhen(/^\d+ %/);
    expect(trainerOf(join(runs, runName()))).not.toBe(trainer);
  });

  it('trains on while no window is open, and shows the run again in the next', async () => {
    const before = statSync(records()).size;
    await window.closeWindow();
    await eventually(() => statSync(records()).size).toBeGreaterThan(before);
    await window.open();
    await window.statusBar(/UniMiSS: \d+ %|UniMiSS: starting/);
    await window.runCommand('UniMiSS: Focus on Runs View');
    await toldWhen(/^\d+ %/);
    await window.runCommand('UniMiSS: Open Metrics');
    await stepsPass(await panel(), 0);
    await window.screenshot('training-opened-again');
  });

  it('shows the log of the run', async () => {
    await window.runCommand('UniMiSS: Show Log');
    await window.pick(runName());
    await eventually(() => editor.outputChannel(`UniMiSS: ${runName()}`)).toContain('Started');
  });

  it('stops, and left no error in the consoles', async () => {
    await window.runCommand('UniMiSS: Stop');
    await toldWhen(/stopped/);
    expect(editor.consoleErrors.filter((line) => !line.includes('SIGKILL'))).toEqual([]);
    expect(editor.hostErrors()).toBe('');
    expect(existsSync(join(runs, runName(), 'config.unimiss.jsonc'))).toBe(true);
  });
});

/** The process that trains a run: its command line names the folder. */
function trainerOf(folder: string): number {
  const found = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return args.includes('worker') && args.includes(folder);
    } catch {
      return false; // it has ended
    }
  });
  if (!found) throw new Error(`no process trains ${folder}`);
  return Number(found);
}

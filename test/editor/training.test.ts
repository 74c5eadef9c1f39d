import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axeFindings } from './axe.ts';
import { contrast } from './contrast.ts';
import type { Theme } from './kit/surroundings.ts';
import type { Window } from './kit/window.ts';
import { PhantomRun } from './phantomRun.ts';
import { eventually, explainFailures, skipped, testTimeout, titled } from './support.ts';

describe.skipIf(skipped !== '')(titled('training in the editor'), { timeout: testTimeout }, () => {
  let run: PhantomRun;
  let window: Window;

  beforeAll(async () => {
    run = await PhantomRun.open();
    window = run.window;
  }, testTimeout);
  afterAll(() => run?.close());
  explainFailures(() => run?.editor);

  it('starts a run from the palette, without a Node on the PATH', async () => {
    await window.runCommand('UniMiSS: Start Pre-training…');
    await window.pick('phantoms.unimiss.jsonc');
    await window.pick('Start');
    await run.toldWhen(/^\d+ %/);
    await window.statusBar(/UniMiSS: \d+ %/);
  });

  it('shows curves and previews that move', async () => {
    const shown = await run.panel();
    await run.stepsPass(shown, 2);
    const picture = () =>
      shown
        .locator('[data-series="steps:loss:2D"] canvas')
        .first()
        .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const before = { steps: await run.stepsShown(shown), picture: await picture() };
    await run.stepsPass(shown, before.steps + 5);
    await eventually(picture).not.toBe(before.picture);

    const previewStep = async () =>
      Number(/step ([\d,]+)/.exec(await shown.locator('.previews').innerText())?.[1]?.replaceAll(',', '') ?? -1);
    await eventually(() => shown.locator('.preview-set img').count()).toBeGreaterThan(1);
    await eventually(() => shown.locator('.preview-set.strips img').count()).toBeGreaterThan(1);
    const loaded = () =>
      shown
        .locator('.preview-set img')
        .evaluateAll((images) => images.every((image) => (image as HTMLImageElement).naturalWidth > 1));
    await eventually(loaded).toBe(true);
    const first = await previewStep();
    await eventually(previewStep).toBeGreaterThan(first);
    await window.screenshot('training-dark');
    // The pictures are replaced by newer ones at any time: what holds them stays.
    await shown.locator('.previews').evaluate((previews) => previews.scrollIntoView());
    await window.pictures('training-previews');
  });

  it('finds panel, view and run as they were after the window was reloaded', async () => {
    const before = await run.panel();
    await before.getByText('Log scale').click();
    const step = await run.stepsShown(before);
    await window.reload();
    const shown = await run.panel();
    await run.stepsPass(shown, step);
    expect(
      await shown
        .locator('vscode-checkbox')
        .first()
        .evaluate((box) => (box as HTMLInputElement).checked),
    ).toBe(true);
    await run.toldWhen(/^\d+ %/);
  });

  it('pauses and continues', async () => {
    await run.press('Pause');
    await run.toldWhen(/^paused/);
    const size = statSync(run.records).size;
    await window.runCommand('UniMiSS: Resume Run…');
    await run.toldWhen(/^\d+ %/);
    await eventually(() => statSync(run.records).size).toBeGreaterThan(size);
  });

  it.each(['light', 'hc-dark', 'hc-light', 'dark'] as Theme[])(
    'is drawn in the theme %s, where axe finds nothing',
    async (theme) => {
      await window.page.mouse.move(640, 780); // away from buttons, whose hovers would be on the picture
      await window.setTheme(theme);
      const shown = await run.panel();
      await shown.locator('h1').scrollIntoViewIfNeeded();
      await window.settle();
      await window.screenshot(`training-${theme}`);
      const least = theme.startsWith('hc') ? 7 : 4.5;
      for (const text of ['h1', '.tiles dd', '.tiles dt'])
        await eventually(() => contrast(shown.locator(text))).toBeGreaterThanOrEqual(least);
      expect(await axeFindings(shown)).toEqual([]);
    },
  );

  it('stops with a checkpoint, and resumes from it', async () => {
    await window.runCommand('UniMiSS: Stop Run…');
    await run.toldWhen(/stopped/);
    const checkpoints = readdirSync(join(run.folder, 'checkpoints')).filter((name) => name.endsWith('.safetensors'));
    expect(checkpoints.length).toBeGreaterThan(0);
    const stopped = Math.max(...checkpoints.map((name) => Number(/(\d+)\.safetensors$/.exec(name)![1])));
    await run.press('Resume');
    await run.toldWhen(/^\d+ %/);
    await run.stepsPass(await run.panel(), stopped);
    const resumed = readFileSync(run.records, 'utf8')
      .split('\n')
      .find((line) => line.includes('"event":"resume"'));
    expect(JSON.parse(resumed!).step).toBe(stopped);
  });

  it('says when the process of a run dies, and resumes it on request', async () => {
    const trainer = trainerOf(run.folder);
    expect(trainer).toBeDefined();
    process.kill(trainer!, 'SIGKILL');
    const notification = await window.notification(/SIGKILL/);
    await window.screenshot('trainer-died');
    await notification.getByRole('button', { name: 'Resume' }).click();
    await eventually(() => trainerOf(run.folder) ?? trainer).not.toBe(trainer);
    await run.toldWhen(/^\d+ %/);
  });

  it('trains on while no window is open, and shows the run again in the next', async () => {
    const before = statSync(run.records).size;
    await window.closeWindow();
    await eventually(() => statSync(run.records).size).toBeGreaterThan(before);
    await window.open();
    await window.statusBar(/UniMiSS: \d+ %|UniMiSS: starting/);
    await window.runCommand('UniMiSS: Focus on Runs View');
    await run.toldWhen(/^\d+ %/);
    await window.runCommand('UniMiSS: Open Metrics');
    await run.stepsPass(await run.panel(), 0);
    await window.screenshot('training-opened-again');
  });

  it('shows the log of the run', async () => {
    await window.runCommand('UniMiSS: Show Log');
    await window.pick(run.name);
    await eventually(() => run.editor.outputChannel(`UniMiSS: ${run.name}`)).toContain('Started');
  });

  it('opens the folder of the run, which is outside of the workspace, in a window of its own', async () => {
    const folder = await window.folderOpenedBy(() => window.runCommand('UniMiSS: Open Run Folder'));
    expect(folder).toBe(run.folder);
  });

  it('queues a second run, overlays its curves on the first, and deletes it', async () => {
    const all = async () =>
      (await window.treeItems('Runs')).filter(({ level }) => level === 2).map(({ description }) => description);
    await window.runCommand('UniMiSS: Start Pre-training…');
    await window.pick('phantoms.unimiss.jsonc');
    await window.pick('Start');
    await eventually(all).toEqual(expect.arrayContaining(['queued, next']));
    const [first, second] = readdirSync(run.editor.inside('runs')).sort();
    // Its panel takes the focus when its page is there, and a quick pick that loses the focus closes.
    const own = await window.webview(second!);
    await own.getByText('Next in the queue for cpu, used by').waitFor();
    await window.inHost((vscode) => vscode.commands.executeCommand('workbench.action.closePanel'));
    await window.pictures('queue');

    await window.runCommand('UniMiSS: Compare Runs…');
    await window.tickAll();
    const both = await window.webview('2 runs');
    for (const name of [first!, second!]) await both.locator('.runs').getByText(name).waitFor();

    await window.runCommand('UniMiSS: Remove from Queue');
    await eventually(all).not.toContain('queued, next');
    await window.runCommand('UniMiSS: Move Run to Trash…');
    expect(await window.answerDialog('Delete')).toContain(second);
    await eventually(all).toHaveLength(1);
    expect(readdirSync(run.editor.inside('runs'))).not.toContain(second);
  });

  it('stops, and left no error in the consoles', async () => {
    await window.runCommand('UniMiSS: Stop Run…');
    await run.toldWhen(/stopped/);
    expect(run.editor.consoleErrors.filter((line) => !line.includes('SIGKILL'))).toEqual([]);
    expect(run.editor.hostErrors()).toBe('');
    expect(existsSync(join(run.folder, 'config.unimiss.jsonc'))).toBe(true);
  });
});

/** The process that trains a run, if one does: its command line names the folder. */
function trainerOf(folder: string): number | undefined {
  const found = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return args.includes('worker') && args.includes(folder);
    } catch {
      return false; // it has ended
    }
  });
  return found === undefined ? undefined : Number(found);
}

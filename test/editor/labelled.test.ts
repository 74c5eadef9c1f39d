import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compressNifti } from '../../daemon/data/formats/niftiWriter.ts';
import { drawPatient } from '../../daemon/data/phantoms/anatomy.ts';
import { phantomVolume } from '../../daemon/data/phantoms/volume.ts';
import { writePhantoms } from '../../daemon/data/phantoms/write.ts';
import { setField } from '../../protocol/config/makeConfig.ts';
import { parseConfig } from '../../protocol/config/parseConfig.ts';
import { volumesWithMasks } from '../integration/labelledPhantoms.ts';
import { axeFindings } from './axe.ts';
import { Editor } from './kit/editor.ts';
import type { Theme } from './kit/surroundings.ts';
import type { Window } from './kit/window.ts';
import { eventually, explainFailures, packVsix, skipped, testTimeout, titled } from './support.ts';

/** Two epochs of two steps. */
const pretraining = `{
  "name": "before",
  "data": { "manifest": "phantoms/manifest.csv" },
  "model": { "preset": "nano" },
  "train": { "epochs": 2, "interval": 1, "batch": { "2D": 4, "3D": 2 }, "stepsPerEpoch": 2 },
  "engine": { "executor": "graph" }
}
`;

/** One arm against random weights, by linear probes. */
const experiment = `{
  "name": "tiny",
  "phantoms": {
    "tiny/train": { "seed": 5, "volumes": 4, "images": 8, "slices": 16, "plane": 96, "pixels": 96 },
    "tiny/test": { "seed": 6, "volumes": 12, "images": 12, "slices": 16, "plane": 96, "pixels": 96 },
  },
  "base": {
    "data": { "manifest": "tiny/train/manifest.csv" },
    "model": { "preset": "nano" },
    "train": { "epochs": 2, "interval": 1, "batch": { "2D": 4, "3D": 2 }, "stepsPerEpoch": 1 },
    "engine": { "executor": "graph" },
  },
  "arms": { "joint": {} },
  "seeds": [1],
  "test": { "manifest": "tiny/test/manifest.csv" },
  "labels": [1],
  "draws": 2,
  "primary": { "modality": "3D", "labels": 1, "better": "joint", "than": "random" },
  "resamples": 100,
}
`;

describe.skipIf(skipped !== '')(titled('labelled images in the editor'), { timeout: testTimeout }, () => {
  let editor: Editor;
  let window: Window;
  const runs = () => (existsSync(editor.inside('runs')) ? readdirSync(editor.inside('runs')) : []);
  const runNamed = (name: string) => runs().find((folder) => folder.startsWith(`${name}-2`))!;
  const finished = async (name: string) =>
    void (await window.visible(
      `the end of ${name}`,
      (await window.tree('Runs')).getByRole('treeitem', { name: new RegExp(`^${name}, .*finished`) }),
    ));
  // A click on the row itself opens its panel, which takes the focus.
  const expand = (one: Locator) => one.locator('.monaco-tl-twistie').click();
  const detail = async (name: string) =>
    (await window.tree('Runs')).getByRole('treeitem', { name: new RegExp(`^${name}`), level: 3 });
  const row = async (name: string) =>
    (await window.tree('Runs')).getByRole('treeitem', { name: new RegExp(`^${name},`) });

  beforeAll(async () => {
    editor = await Editor.open({
      vsix: packVsix(),
      workspace: { 'before.unimiss.jsonc': pretraining, 'tiny.experiment.jsonc': experiment },
      env: (folder) => ({ UNIMISS_RUNS: join(folder, 'runs') }),
    });
    window = editor.window;
    await writePhantoms(join(editor.workspace, 'phantoms'), { seed: 1, volumes: 4, images: 8 });
    await volumesWithMasks(join(editor.workspace, 'organs'), 4);
  }, testTimeout);
  afterAll(() => editor?.close());
  explainFailures(() => editor);

  it('plans a data set from its folder in the explorer', async () => {
    await window.choose(await window.explorerItem('organs'), 'Plan a Data Set…');
    await window.notification(/organs: 3D segmentation, 4 labelled cases/);
    await window.visible('the configuration', window.page.locator('.tab.active', { hasText: 'organs.unimiss.jsonc' }));
    await window.pictures('planned');
    const file = join(editor.workspace, 'organs.unimiss.jsonc');
    const planned = readFileSync(file, 'utf8');
    expect(parseConfig(planned, file)).toMatchObject({
      task: 'finetune',
      data: { path: join(editor.workspace, 'organs'), layout: 'nnunet' },
    });
    // Small enough for a test.
    const small: [string, unknown][] = [
      ['data.folds', 2],
      ['model.preset', 'nano'],
      ['plan.patch', [16, 64, 64]],
      ['train', { epochs: 1, stepsPerEpoch: 2, batch: 2, lr: 1e-3, seed: 3 }],
    ];
    writeFileSync(
      file,
      small.reduce((text, [field, value]) => setField(text, field.split('.'), value), planned),
    );
  });

  it('fine-tunes from a pre-training run, by its context menu, with a twin from scratch', async () => {
    await window.runCommand('UniMiSS: Start Pre-training…');
    await window.pick('before.unimiss.jsonc');
    await window.pick('Start');
    await finished('before');
    await window.choose(await row('before'), 'Fine-tune from This…');
    await window.pick('organs.unimiss.jsonc');
    await window.pick('Start with a Twin from Scratch');
    await finished('organs');
    const config = (name: string) =>
      JSON.parse(readFileSync(editor.inside('runs', name, 'config.resolved.json'), 'utf8'));
    const before = editor.inside('runs', runNamed('before'));
    expect(config(runNamed('organs')).start).toMatchObject({ from: before, twinOf: null });
    await finished('organs-scratch');
    expect(config(runNamed('organs-scratch')).start).toMatchObject({ from: null, twinOf: runNamed('organs') });
    // As in the shell, the file stays as it was.
    expect(readFileSync(join(editor.workspace, 'organs.unimiss.jsonc'), 'utf8')).not.toContain(before);
  });

  it('groups runs by what they are doing, and shows what each has', async () => {
    const items = await window.treeItems('Runs');
    expect(items.filter(({ level }) => level === 1)).toEqual([{ label: 'Finished', description: '3', level: 1 }]);
    await expand(await row('organs'));
    const labels = async () =>
      (await window.treeItems('Runs')).filter(({ level }) => level === 3).map(({ label }) => label);
    // The made-up patients have no voxel of the liver, which the run warns of.
    const all = ['Warnings', 'Progress', 'Dice', 'Loss', 'Checkpoints', 'Configuration', 'Log'];
    await eventually(async () => (await labels()).toSorted()).toEqual(all.toSorted());
    await window.pictures('runs-by-state');
    await (await detail('Configuration')).click();
    await window.visible('its configuration', window.page.locator('.tab.active', { hasText: 'config.unimiss.jsonc' }));
    await window.runCommand('View: Close All Editors');
  });

  it('shows the checkpoints of a run: they are pinned, exported and removed', async () => {
    await expand(await row('organs')); // which was expanded
    await expand(await row('before'));
    await expand(await detail('Checkpoints'));
    const entries = async () =>
      (await window.treeItems('Runs')).filter(({ level, label }) => level === 4 && label.startsWith('Step'));
    await eventually(async () => (await entries()).length).toBeGreaterThan(1);
    const [newest, older] = (await entries()).map(({ label }) => label);
    const entry = async (name = '') =>
      (await window.tree('Runs')).getByRole('treeitem', { name: new RegExp(`^${name},`), level: 4 });
    const told = async (name = '') => (await entries()).find(({ label }) => label === name)?.description ?? '';
    await window.choose(await entry(older), 'Pin');
    await eventually(() => told(older)).toContain('pinned');
    await window.pictures('checkpoints');
    await window.choose(await detail('Checkpoints'), 'Clean Up Checkpoints…');
    await window.notification(/before has only checkpoints that are kept/);
    await window.runCommand('Notifications: Clear All Notifications');
    await window.choose(await entry(older), 'Export Weights…');
    await window.pick('Teacher');
    const out = join(editor.workspace, 'weights-of-a-step');
    await window.answerFileDialog(out);
    await eventually(() => existsSync(join(out, 'plan.json'))).toBe(true);
    const step = Number(older?.replace('Step ', ''));
    expect(JSON.parse(readFileSync(join(out, 'plan.json'), 'utf8'))).toMatchObject({ step, role: 'teacher' });
    await window.choose(await entry(older), 'Remove Pin');
    await eventually(() => told(older)).not.toContain('pinned');
    await window.choose(await entry(older), 'Remove Checkpoint…');
    expect(await window.answerDialog('Remove')).toContain(`Remove the checkpoint of step ${step} of before?`);
    await eventually(async () => (await entries()).map(({ label }) => label)).toEqual([newest]);
    const left = readdirSync(editor.inside('runs', runNamed('before'), 'checkpoints'));
    expect(left.filter((name) => name.endsWith('.safetensors'))).toHaveLength(1);
    await expand(await row('before'));
  });

  it('compares the configurations of two runs in an editor of differences', async () => {
    await (await row('organs-scratch')).click();
    await (await row('organs')).click({ modifiers: ['Control'] });
    await window.choose(await row('organs'), 'Compare Configurations…');
    await window.visible(
      'the comparison',
      window.page.locator('.tab.active', { hasText: /organs.* ↔ organs-scratch/ }),
    );
    const texts = () =>
      window.inHost((vscode) =>
        vscode.workspace.textDocuments
          .filter((one: { uri: { scheme: string } }) => one.uri.scheme === 'unimiss-resolved')
          .map((one: { getText(): string }) => JSON.parse(one.getText()).start.from),
      );
    await eventually(texts).toEqual(expect.arrayContaining([editor.inside('runs', runNamed('before')), null]));
    await window.visible(
      'a difference',
      window.page.locator('.monaco-diff-editor .line-delete, .monaco-diff-editor .line-insert'),
    );
    await window.runCommand('Notifications: Clear All Notifications');
    await window.inHost((vscode) => vscode.commands.executeCommand('workbench.action.compareEditor.nextChange'));
    await window.pictures('configurations-compared');
    await window.runCommand('View: Close All Editors');
  });

  it('groups runs by what they started from', async () => {
    await (await window.tree('Runs')).hover();
    await window.inHost((vscode) => vscode.commands.executeCommand('unimiss.groupByOrigin'));
    const levels = async () =>
      Object.fromEntries((await window.treeItems('Runs')).map(({ label, level }) => [label, level]));
    await eventually(levels).toMatchObject({ before: 1, 'From scratch': 1, 'organs-scratch': 2 });
    await expand(await row('before'));
    await eventually(levels).toMatchObject({ before: 1, organs: 2 });
    await window.pictures('runs-by-origin');
    await window.inHost((vscode) => vscode.commands.executeCommand('unimiss.groupByState'));
    await eventually(levels).toMatchObject({ Finished: 1, organs: 2 });
  });

  it('compares selected runs of the same kind, and says why it does not compare others', async () => {
    await (await row('organs-scratch')).click();
    await (await row('before')).click({ modifiers: ['Control'] });
    await window.choose(await row('before'), 'Compare Selected');
    await window.notification(
      /runs of different kinds record different numbers.*pre-training.*fine-tuning|fine-tuning.*pre-training/,
    );
    await window.runCommand('Notifications: Clear All Notifications');
    await (await row('organs-scratch')).click();
    await (await row('organs')).click({ modifiers: ['Control'] });
    await window.choose(await row('organs'), 'Compare Selected');
    const both = await window.webview('2 runs');
    // A warning of the run, which is folded away, names it too.
    await both.getByText('organs-scratch').filter({ visible: true }).first().waitFor();
    await window.pictures('compared');
  });

  it('copies the configuration of a run, and opens the report of its curves', async () => {
    await (await row('before')).click();
    await window.webview(runNamed('before'));
    await window.choose(await row('before'), 'Duplicate as New Configuration');
    const copy = join(editor.workspace, 'before-2.unimiss.jsonc');
    // The editor makes the file before it writes into it.
    await eventually(() => existsSync(copy) && readFileSync(copy, 'utf8') !== '').toBe(true);
    const manifest = join(editor.workspace, 'phantoms/manifest.csv');
    expect(parseConfig(readFileSync(copy, 'utf8'), copy)).toMatchObject({ name: 'before', data: { manifest } });
    await window.choose(await row('before'), 'Open Report');
    const report = await window.webview('Report of before');
    await report.locator('canvas').first().waitFor();
    for (const theme of ['light', 'hc-dark', 'hc-light', 'dark'] as Theme[]) {
      await window.setTheme(theme);
      await window.settle();
      await window.screenshot(`report-of-run-${theme}`);
      expect(await axeFindings(report), theme).toEqual([]);
    }
  });

  it('evaluates a run and opens the report, which says what was found', async () => {
    await window.choose(await row('organs'), 'Evaluate…');
    await window.pick('Test cases');
    const report = await window.webview('Evaluation of organs');
    await report.getByRole('heading', { name: /^Evaluation of organs-/ }).waitFor();
    await report.getByText('Research only. Not for clinical use.').waitFor();
    // Script of the page runs: it makes columns sortable and draws the planes.
    const sort = report.locator('table.sortable th button').first();
    await sort.click();
    expect(await report.locator('th[aria-sort]').count()).toBe(1);
    const drawn = () =>
      report
        .locator('canvas')
        .first()
        .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL().length);
    await eventually(drawn).toBeGreaterThan(1000);
  });

  it.each(['light', 'hc-dark', 'hc-light', 'dark'] as Theme[])('shows the report in the theme %s', async (theme) => {
    await window.setTheme(theme);
    const report = await window.webview('Evaluation of organs');
    const color = () => report.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor);
    const expected = await window.page
      .locator('.editor-container, .monaco-workbench')
      .first()
      .evaluate((one) => getComputedStyle(one).getPropertyValue('--vscode-editor-background').trim());
    const { r, g, b } = rgb(expected);
    await eventually(color).toBe(`rgb(${r}, ${g}, ${b})`);
    await window.screenshot(`evaluation-${theme}`);
    expect(await axeFindings(report)).toEqual([]);
  });

  it('opens a case of the report at its errors, beside it', async () => {
    const report = await window.webview('Evaluation of organs');
    const button = report.locator('th[data-case]').getByRole('button').first();
    const id = await button.innerText();
    await button.click();
    const viewer = await window.webview(`${id}_0000.nii.gz`);
    const bar = viewer.getByRole('region', { name: 'Case of the evaluation' });
    await window.visible('the case', bar.getByText(`${id}: mean Dice`));
    await window.visible('the legend', viewer.getByText('in the reference, but not predicted'));
    await window.pictures('evaluation-case');
    await window.runCommand('View: Close Editor');
  });

  it('finds the report again after the window was reloaded, and opens it by its command', async () => {
    await window.reload();
    // As the editor asks for a document, before anything else has asked for the runs.
    const resolved = await window.inHost(
      async (vscode, path, query) => {
        const uri = vscode.Uri.from({ scheme: 'unimiss-resolved', path, query });
        return (await vscode.workspace.openTextDocument(uri)).getText();
      },
      `/${runNamed('organs')}.json`,
      editor.inside('runs', runNamed('organs')),
    );
    expect(JSON.parse(resolved)).toMatchObject({ task: 'finetune', name: 'organs' });
    const restored = await window.webview('Evaluation of organs');
    await restored.getByText('Research only. Not for clinical use.').waitFor();
    await window.page.keyboard.press('Escape');
    await window.runCommand('View: Close All Editors');
    await window.runCommand('UniMiSS: Focus on Runs View');
    await window.choose(await row('organs'), 'Open Evaluation Report');
    const report = await window.webview('Evaluation of organs');
    await report.getByText('Research only. Not for clinical use.').waitFor();
  });

  it('labels an image of the explorer', async () => {
    await window.runCommand('View: Show Explorer');
    await (await window.explorerItem('organs')).click();
    await (await window.explorerItem('imagesTr')).click();
    await window.choose(await window.explorerItem('case00_0000.nii.gz'), 'Predict with…');
    await window.pick(runNamed('organs'));
    await window.pick(`predictions/${runNamed('organs')}`);
    await window.notification(/1 image labelled/);
    const out = join(editor.workspace, 'predictions', runNamed('organs'));
    expect(readdirSync(out)).toContain('case00_0000.nii.gz');
    const viewer = await window.webview('case00_0000.nii.gz');
    await viewer.getByText('rightLung').first().waitFor();
    await window.pictures('predicted');
  });

  it('shows what a network sees of an image, from the viewer', async () => {
    const viewer = await window.webview('case00_0000.nii.gz');
    await viewer.getByRole('button', { name: 'What the Network Sees…' }).click();
    const dialog = viewer.getByRole('dialog', { name: 'What the Network Sees' });
    await window.visible('the views', dialog.getByRole('img', { name: 'View 2: 16 slices of 64 × 64 voxels' }));
    await window.visible('the run', dialog.getByText(`of ${runNamed('before')}, in epoch 1`));
    for (const theme of ['light', 'hc-dark', 'hc-light', 'dark'] as Theme[]) {
      await window.setTheme(theme);
      await window.screenshot(`seen-by-the-network-${theme}`);
      expect(await axeFindings(viewer), theme).toEqual([]);
    }
    await dialog.getByRole('button', { name: 'Draw Again' }).click();
    await window.visible('another draw', dialog.getByText('in epoch 2'));
    await dialog.getByRole('button', { name: 'Find Similar Images' }).click();
    const similar = dialog.getByRole('list', { name: 'Similar images' }).getByRole('listitem');
    await eventually(() => similar.count()).toBe(4);
    await window.pictures('similar-images');
    await dialog.getByRole('button', { name: 'Show Attention' }).click();
    await window.visible('the attention', viewer.getByRole('region', { name: `attention of ${runNamed('before')}` }));
    for (const name of ['labelsTr/case00.nii.gz', `${runNamed('organs')}/case00_0000.nii.gz`])
      await viewer.getByRole('checkbox', { name, exact: true }).uncheck();
    await window.pictures('attention');
  });

  it('labels an image by the button of the viewer', async () => {
    await window.openFile(join(editor.workspace, 'organs/imagesTr/case01_0000.nii.gz'));
    const viewer = await window.webview('case01_0000.nii.gz');
    await viewer.getByRole('button', { name: 'Predict…' }).click();
    await window.pick(runNamed('organs'));
    await window.pick(`predictions/${runNamed('organs')}`);
    const own = viewer.getByRole('region', { name: `${runNamed('organs')}/case01_0000.nii.gz` });
    await window.visible('the labels', own);
    await window.notification(/1 image labelled/);
    // What was shown of them while they grew is gone.
    await eventually(() => viewer.getByText('prediction, not complete yet').count()).toBe(0);
    expect(readdirSync(join(editor.workspace, 'predictions', runNamed('organs')))).toContain('case01_0000.nii.gz');
  });

  it('draws labels slab by slab, until the prediction is cancelled', async () => {
    await window.runCommand('Notifications: Clear All Notifications');
    const image = join(editor.workspace, 'long.nii.gz');
    // Many windows of the network, so that it is caught at work.
    const { volume } = phantomVolume(drawPatient('clear', 'long'), 96, 128, 'long');
    writeFileSync(image, await compressNifti({ ...volume, spacing: [1.4, 1, 1] }));
    await window.openFile(image);
    const viewer = await window.webview('long.nii.gz');
    await viewer.getByRole('slider', { name: 'Axial plane' }).waitFor();
    await viewer.getByRole('button', { name: 'Predict…' }).click();
    await window.pick(runNamed('organs'));
    await window.pick(`predictions/${runNamed('organs')}`);
    const growing = viewer.getByRole('region', { name: 'prediction, not complete yet' });
    await window.visible('the first labels', growing.getByRole('row', { name: / ml/ }).nth(1));
    const predicting = () => window.notification(/predicting long\.nii\.gz/);
    // It waits for the pictures.
    const jobs = jobsAtWork(editor.folder);
    expect(jobs).toHaveLength(1);
    process.kill(jobs[0]!, 'SIGSTOP');
    try {
      await predicting();
      await window.pictures('viewer-growing');
    } finally {
      process.kill(jobs[0]!, 'SIGCONT');
    }
    await (await predicting()).getByRole('button', { name: 'Cancel' }).click();
    await eventually(() => growing.count()).toBe(0);
    expect(readdirSync(join(editor.workspace, 'predictions', runNamed('organs')))).not.toContain('long.nii.gz');
    await window.runCommand('View: Close Editor');
  });

  it('labels a folder of the explorer, and skips what has its labels', async () => {
    await window.runCommand('Notifications: Clear All Notifications');
    await window.choose(await window.explorerItem('imagesTr'), 'Predict with…');
    await window.pick(runNamed('organs'));
    await window.pick(`predictions/${runNamed('organs')}`);
    await window.notification(/2 images labelled, 2 skipped: their labels are there already/);
    const labelled = readdirSync(join(editor.workspace, 'predictions', runNamed('organs')));
    const images = readdirSync(join(editor.workspace, 'organs/imagesTr'));
    expect(images).toHaveLength(4);
    expect(labelled).toEqual(expect.arrayContaining(images));
  });

  it('runs an experiment and shows its report', async () => {
    await window.runCommand('Notifications: Clear All Notifications');
    await window.choose(await window.explorerItem('tiny.experiment.jsonc'), 'Compare Arms…');
    const report = await window.webview('Comparison tiny');
    await report.getByText('random').first().waitFor({ timeout: editor.timeout });
    await window.pictures('experiment');
    const results = join(editor.workspace, 'tiny.experiment.results');
    expect(readdirSync(results)).toContain('report.html');
    // Again: the report, or what is missing.
    await window.runCommand('View: Close All Editors');
    await window.choose(await window.explorerItem('tiny.experiment.jsonc'), 'Compare Arms…');
    await window.pick('Open Report');
    await window.webview('Comparison tiny');
  });

  it('leaves no error in the consoles', () => {
    expect(editor.consoleErrors.filter((line) => !line.includes('different kinds'))).toEqual([]);
    expect(editor.hostErrors()).toBe('');
  });
});

/** The processes that predict for the daemon whose state is in a folder, and write labels while they grow. */
function jobsAtWork(folder: string): number[] {
  const found = readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const [words, variables] = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8'));
      if (!words!.split('\0').includes('job') || !variables!.includes(folder)) return false;
      // The daemon may keep others, which wait for work.
      const files = readdirSync(`/proc/${pid}/fd`).map((file) => fileBehind(`/proc/${pid}/fd/${file}`));
      return files.some((file) => /\/growing\/\d+-\d+\.nii$/.test(file));
    } catch {
      return false; // it has ended
    }
  });
  return found.map(Number);
}

function fileBehind(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ''; // closed meanwhile
  }
}

function rgb(hex: string) {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  return { r, g, b };
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Editor } from './kit/editor.ts';
import type { Window } from './kit/window.ts';
import { writePatient } from './patient.ts';
import { eventually, explainFailures, packVsix, skipped, testTimeout, titled } from './support.ts';

describe.skipIf(skipped !== '')(titled('a patient in the viewer'), { timeout: testTimeout }, () => {
  let editor: Editor;
  let window: Window;
  let files: Awaited<ReturnType<typeof writePatient>>;
  const pane = (frame: FrameLocator, name: string) => frame.getByRole('slider', { name: `${name} plane` });
  const status = (frame: FrameLocator) => frame.getByRole('status', { name: 'Crosshair' });
  /** What the axial plane looks like. */
  const drawn = (frame: FrameLocator) =>
    pane(frame, 'Axial')
      .locator('canvas')
      .first()
      .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  /** Does something after which the axial plane looks different. */
  const redrawn = async (frame: FrameLocator, action: () => Promise<unknown>) => {
    const before = await drawn(frame);
    await action();
    await eventually(() => drawn(frame)).not.toBe(before);
  };
  const opened = async (file: string) => {
    await window.openFile(file);
    const frame = await window.webview(file.split('/').at(-1));
    await eventually(() => status(frame).innerText()).toMatch(/-?\d+ HU/);
    return frame;
  };
  const press = async (...keys: string[]) => {
    for (const key of keys) await window.page.keyboard.press(key);
  };
  const times = (count: number, key: string): string[] => Array(count).fill(key);

  beforeAll(async () => {
    editor = await Editor.open({
      vsix: packVsix(),
      workspace: {},
      env: (folder) => ({ XDG_CACHE_HOME: join(folder, 'cache'), UNIMISS_TENSORFLOW: '' }),
    });
    window = editor.window;
    files = await writePatient(editor.workspace);
    // Images may have the whole width.
    await window.inHost((vscode) => vscode.commands.executeCommand('workbench.action.closeSidebar'));
  }, testTimeout);
  afterAll(() => editor?.close());
  explainFailures(() => editor);

  it('is drawn in three planes, in windows and colours of choice', async () => {
    const frame = await opened(files.ct);
    await eventually(() => pane(frame, 'Axial').getAttribute('aria-valuemax')).toBe('40');
    await pane(frame, 'Axial').focus();
    await redrawn(frame, () => press(...times(24, 'Shift+ArrowRight')));
    await window.pictures('viewer');
    await redrawn(frame, () => frame.getByRole('combobox', { name: 'Window' }).selectOption('Lung'));
    expect(await frame.locator('.window-values').innerText()).toBe('W 1500  L -600');
    await window.pictures('viewer-window');
    await redrawn(frame, () => frame.getByRole('combobox', { name: 'Colours' }).selectOption('Viridis'));
    await window.pictures('viewer-colors');
    await frame.getByRole('combobox', { name: 'Colours' }).selectOption('Grey');
    await frame.getByRole('combobox', { name: 'Window' }).selectOption('Automatic');
  });

  it('is seen from the feet or from the head', async () => {
    const frame = await window.webview('ct.nii.gz');
    const letters = () => pane(frame, 'Axial').locator('.edge').allInnerTexts();
    await eventually(async () => (await letters()).join('')).toBe('RLAP');
    const view = frame.getByRole('combobox', { name: 'View' });
    await view.selectOption('Neurological');
    await eventually(async () => (await letters()).join('')).toBe('LRAP');
    await window.pictures('viewer-neurological');
    await view.selectOption('Radiological');
    await eventually(async () => (await letters()).join('')).toBe('RLAP');
  });

  it('is measured by keyboard: distance, angle, mean of a region', async () => {
    const frame = await window.webview('ct.nii.gz');
    await pane(frame, 'Axial').focus();
    await press(...times(30, 'Shift+ArrowUp'), 'd', 'Enter', ...times(40, 'Shift+ArrowLeft'), 'Enter', 'd');
    await press(...times(40, 'Shift+ArrowDown'), 'a', 'Enter', ...times(15, 'Shift+ArrowRight'), 'Enter');
    await press(...times(15, 'Shift+ArrowUp'), 'Enter', 'a');
    await press(...times(35, 'Shift+ArrowDown'), ...times(20, 'Shift+ArrowLeft'));
    await press('r', 'Enter', ...times(6, 'Shift+ArrowRight'), 'Enter', 'r');
    const found = frame.getByRole('list', { name: 'Measurements' });
    await eventually(() => found.innerText()).toMatch(/ mm[\s\S]* 90\.0°|90\.0°[\s\S]* mm/);
    await eventually(() => found.innerText()).toMatch(/mean -?\d+\.\d ± \d+\.\d HU/);
    await window.pictures('viewer-measure');
  });

  it('says what mouse and keys do', async () => {
    const frame = await window.webview('ct.nii.gz');
    await frame.getByRole('button', { name: 'Keys' }).click();
    const dialog = frame.getByRole('dialog', { name: 'Mouse and keys' });
    await window.visible('the next worst case', dialog.getByText('next worst case of the evaluation'));
    await window.pictures('viewer-keys');
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  it('has labels, each on or off, filled or outlined, and found by its largest slice', async () => {
    const frame = await opened(files.image);
    const reference = frame.getByRole('region', { name: 'labelsTr/patient.nii.gz' });
    const prediction = frame.getByRole('region', { name: 'predictionsTr/patient.nii.gz' });
    await window.visible('a label', reference.getByRole('row', { name: /lesion .* ml/ }));
    await prediction.getByRole('checkbox', { name: 'predictionsTr/patient.nii.gz', exact: true }).uncheck();
    await frame.getByRole('button', { name: 'Add Overlay…' }).scrollIntoViewIfNeeded(); // the top of the panel
    await window.pictures('viewer-overlay');
    await redrawn(frame, () => reference.getByRole('checkbox', { name: 'body' }).uncheck());
    await reference.getByRole('combobox').selectOption('Outline');
    await redrawn(frame, () => reference.getByRole('button', { name: 'Show the largest slice of lesion' }).click());
    await eventually(() => status(frame).innerText()).toContain('8 lesion');
    await frame.getByRole('button', { name: 'Add Overlay…' }).scrollIntoViewIfNeeded();
    await window.pictures('viewer-labels');
  });

  it('has a prediction, whose errors are in colour, and a map of probabilities', async () => {
    const frame = await window.webview('patient_0000.nii.gz');
    const reference = frame.getByRole('region', { name: 'labelsTr/patient.nii.gz' });
    await reference.getByRole('button', { name: 'Show the largest slice of heart' }).click();
    await pane(frame, 'Axial').focus();
    await redrawn(frame, () => press('PageUp'));
    const compare = frame.getByRole('combobox', { name: 'Compare' });
    await redrawn(frame, () =>
      compare.selectOption('predictionsTr/patient.nii.gz with labelsTr/patient.nii.gz as reference'),
    );
    await window.visible('the legend', frame.getByText('in the reference, but not predicted'));
    for (const name of ['labelsTr/patient.nii.gz', 'predictionsTr/patient.nii.gz'])
      await eventually(() => frame.getByRole('checkbox', { name, exact: true }).isChecked()).toBe(true);
    await frame.getByRole('button', { name: 'Add Overlay…' }).scrollIntoViewIfNeeded();
    await window.pictures('viewer-compare');
    await compare.selectOption('Nothing');
    for (const name of ['labelsTr/patient.nii.gz', 'predictionsTr/patient.nii.gz'])
      await frame.getByRole('region', { name }).getByRole('checkbox', { name, exact: true }).uncheck();
    await frame.getByRole('button', { name: 'Add Overlay…' }).click();
    await redrawn(frame, () => window.answerFileDialog(files.heart));
    await eventually(() => status(frame).innerText()).toMatch(/heart-probability\.nii\.gz: (1|0\.\d+)/);
    await window.pictures('viewer-probability');
    await frame.getByRole('button', { name: /^Remove .*heart-probability/ }).click();
    await eventually(() => status(frame).innerText()).not.toContain('heart-probability');
  });

  it('is shown in 3D', async () => {
    const frame = await window.webview('patient_0000.nii.gz');
    await frame
      .getByRole('region', { name: 'labelsTr/patient.nii.gz' })
      .getByRole('checkbox', { name: 'labelsTr/patient.nii.gz', exact: true })
      .check();
    await frame.getByRole('button', { name: '3D' }).click();
    const volume = await window.webview('3D: patient_0000.nii.gz');
    await volume.locator('body.shown, body.failed').waitFor({ timeout: editor.timeout });
    expect(await volume.locator('body.failed').count()).toBe(0);
    // As in the planes, the body is off: what lies in it is seen.
    await window.pictures('viewer-3d');
    await window.runCommand('View: Close Editor');
  });

  it('is saved as a picture', async () => {
    const frame = await opened(files.ct);
    await frame.getByRole('button', { name: 'Save Picture…' }).click();
    const file = join(editor.workspace, 'view.png');
    await window.answerFileDialog(file);
    await window.notification('view.png is saved.');
    expect(readFileSync(file).subarray(1, 4).toString()).toBe('PNG');
    await window.pictures('viewer-saved');
    await window.runCommand('Notifications: Show Notifications'); // the first one goes by itself
    await window.page.locator('.notifications-center').getByRole('button', { name: 'Open Picture' }).click();
    await window.visible('the picture', window.page.locator('.tab.active', { hasText: 'view.png' }));
    await window.runCommand('View: Close Editor');
  });

  it('has several volumes in one file, of which one is chosen', async () => {
    const frame = await opened(files.contrast);
    const volume = frame.getByRole('spinbutton', { name: 'Volume' });
    expect(await volume.inputValue()).toBe('1');
    await window.visible('how many there are', frame.getByText('of 3'));
    await redrawn(frame, async () => {
      await volume.fill('2');
      await volume.press('Enter');
    });
    await window.pictures('viewer-4d');
  });

  it('is a DICOM series, opened by one of its files, whose header hides its name', async () => {
    await window.inHost(
      (vscode, path) => vscode.commands.executeCommand('unimiss.openViewer', vscode.Uri.file(path)),
      join(files.series, 'IM0007'),
    );
    const frame = await window.webview('IM0007');
    await eventually(() => pane(frame, 'Axial').getAttribute('aria-valuemax')).toBe('40');
    await eventually(() => status(frame).innerText()).toMatch(/-?\d+ HU/);
    await window.pictures('viewer-dicom');
    await frame.getByRole('button', { name: 'Header' }).click();
    const dialog = frame.getByRole('dialog', { name: 'Header of the file' });
    await window.visible('a field', dialog.getByRole('row', { name: /Modality/ }));
    expect(await dialog.innerText()).not.toContain('Nobody');
    await window.pictures('viewer-header');
    await dialog.getByRole('button', { name: 'Show Hidden Values' }).click();
    await window.visible('the name', dialog.getByText('Nobody'));
    await dialog.getByRole('button', { name: 'Close' }).click();
    await window.runCommand('View: Close All Editors');
  });

  it('is an X-ray too, with labels over it', async () => {
    await window.inHost(
      (vscode, path) => vscode.commands.executeCommand('unimiss.openViewer', vscode.Uri.file(path)),
      files.xray,
    );
    const frame = await window.webview('0001.png');
    await window.visible('a label', frame.getByRole('row', { name: /leftLung [\d,]+ pixels/ }));
    await window.pictures('viewer-xray');
    await window.runCommand('View: Close All Editors');
  });

  it('is shown as far as its file goes', async () => {
    const cut = join(editor.workspace, 'cut.nii.gz');
    const whole = readFileSync(files.ct);
    writeFileSync(cut, whole.subarray(0, whole.length * 0.6));
    const frame = await opened(cut);
    await window.visible('the reason', frame.getByRole('alert').getByText('the gzip stream ends too early'));
    await window.pictures('viewer-truncated');
    await window.runCommand('View: Close All Editors');
  });

  it('is seen twice, side by side, at the same place', async () => {
    const left = await opened(files.ct);
    await window.runCommand('View: Split Editor Right');
    const right = await opened(files.image);
    const place = async (frame: FrameLocator) => /x .* mm/.exec(await status(frame).innerText())?.[0];
    await pane(left, 'Axial').focus();
    await press(...times(9, 'ArrowUp'), ...times(16, 'Shift+ArrowLeft'));
    await eventually(async () => (await place(right)) === (await place(left))).toBe(true);
    await window.pictures('viewer-side-by-side');
    await window.runCommand('View: Close All Editors');
  });

  it('is a case of an evaluation, the worst or the next', async () => {
    const { image, labels: reference, prediction, ct } = files;
    const labels = [{ class: null, reference, prediction }];
    const cases = [
      { case: 'patient 7', dice: 0.871, image: ct, labels },
      { case: 'patient 12', dice: 0.634, image, labels },
    ];
    const folder = join(editor.workspace, 'evaluation');
    mkdirSync(folder);
    writeFileSync(join(folder, 'viewer.json'), JSON.stringify({ format: 1, cases }));
    await window.inHost(
      (vscode, report) => vscode.commands.executeCommand('unimiss.openCase', report, 'patient 12'),
      join(folder, 'report.html'),
    );
    const frame = await window.webview('patient_0000.nii.gz');
    const bar = frame.getByRole('region', { name: 'Case of the evaluation' });
    // It lies beside the report, which is not open here.
    await window.inHost(async (vscode) => {
      await vscode.commands.executeCommand('workbench.action.focusFirstEditorGroup');
      await vscode.commands.executeCommand('workbench.action.closeGroup');
    });
    await window.visible('the case', bar.getByText('patient 12: mean Dice 0.634, the worst of 2 (evaluation).'));
    await window.visible('the legend', frame.getByText('in the reference, but not predicted'));
    await window.pictures('viewer-evaluated-case');
    await pane(frame, 'Axial').focus();
    await press('n');
    const next = await window.webview('ct.nii.gz');
    await window.visible('the next case', next.getByText('patient 7: mean Dice 0.871, number 2 from the worst of 2'));
    await window.pictures('viewer-next-case');
  });

  it('leaves no error in the consoles', () => {
    expect(editor.consoleErrors).toEqual([]);
    expect(editor.hostErrors()).toBe('');
  });
});

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { FrameLocator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { niftiFixture } from '../../daemon/data/formats/nifti.fixture.ts';
import { volumesWithMasks } from '../integration/labelledPhantoms.ts';
import { axeFindings } from './axe.ts';
import { Editor } from './kit/editor.ts';
import type { Theme } from './kit/surroundings.ts';
import type { Window } from './kit/window.ts';
import { eventually, explainFailures, packVsix, skipped, testTimeout, titled } from './support.ts';

const size = [40, 30, 20] as const;
const sform = [
  [-2, 0, 0, 40],
  [0, 2, 0, -30],
  [0, 0, -4, 80],
];
/** A value that tells where its voxel is in the file. */
const voxelValue = (i: number, j: number, k: number) => 1000 * k + 10 * j + i - 1000;

/** Labels 1 and 2 in two boxes of such a volume, from `from` on along i. */
function labels(from: number): Buffer {
  const values: number[] = [];
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++)
      for (let i = 0; i < size[0]; i++)
        values.push(j > 5 && j < 20 && k > 4 && k < 12 ? (i >= from && i < 18 ? 1 : i >= 22 && i < 30 ? 2 : 0) : 0);
  return gzipSync(niftiFixture({ size, type: 2, values, sform, pixdim: [2, 2, 4] }));
}

/** In a header. */
const patient = 'Doe^Jane';

/** A volume whose first axis runs to the patient's left and whose third runs down, as `.nii.gz`. */
function volume(): Buffer {
  const values: number[] = [];
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++) for (let i = 0; i < size[0]; i++) values.push(voxelValue(i, j, k));
  const file = niftiFixture({ size, type: 4, values, sform, pixdim: [2, 2, 4] });
  file.write(patient, 148, 'latin1');
  return gzipSync(file);
}

describe.skipIf(skipped !== '')(titled('the viewer in the editor'), { timeout: testTimeout }, () => {
  let editor: Editor;
  let window: Window;
  const pane = (frame: FrameLocator, name: string) => frame.getByRole('slider', { name: `${name} plane` });

  beforeAll(async () => {
    const whole = volume();
    editor = await Editor.open({
      vsix: packVsix(),
      workspace: {
        'set/imagesTr/case_0000.nii.gz': whole,
        'set/labelsTr/case.nii.gz': labels(8),
        'set/predictionsTr/case.nii.gz': labels(10),
        'set/dataset.json': JSON.stringify({ labels: { background: 0, '<img src=x>': 1, lung: 2 } }),
        'ct.nii.gz': whole,
        'cut.nii.gz': whole.subarray(0, whole.length / 2),
        'text.nii': 'no image',
      },
      env: (folder) => ({ XDG_CACHE_HOME: join(folder, 'cache'), UNIMISS_TENSORFLOW: '' }),
    });
    window = editor.window;
  }, testTimeout);
  afterAll(() => editor?.close());
  explainFailures(() => editor);

  it('opens a volume and goes through its planes, linked, with the value under the crosshair', async () => {
    await window.openFile(join(editor.workspace, 'ct.nii.gz'));
    const frame = await window.webview('ct.nii.gz');
    const axial = pane(frame, 'Axial');
    const status = frame.getByRole('status', { name: 'Crosshair' });
    // The middle: slices run down already, columns to the left, rows must be turned.
    const at = (i: number, j: number, k: number) => `${voxelValue(i, j, k)}`;
    await eventually(() => status.innerText()).toContain(at(20, 14, 10));
    expect(await status.innerText()).toContain('voxel 20, 14, 10');
    expect(await status.innerText()).toContain('x 0.0  y -2.0  z 40.0 mm');
    await axial.focus();
    await window.page.keyboard.press('ArrowDown');
    await eventually(() => status.innerText()).toContain(at(20, 14, 11));
    expect(await axial.getAttribute('aria-valuetext')).toBe('Axial plane 12 of 20');
    await axial.hover();
    await window.page.mouse.wheel(0, -100);
    await window.page.mouse.wheel(0, -100);
    await eventually(() => status.innerText()).toContain(at(20, 14, 9));
    // A click in the coronal plane moves the axial one: the head is at the top.
    await pane(frame, 'Coronal').click({ position: { x: 200, y: 5 } });
    await eventually(() => axial.getAttribute('aria-valuenow')).toBe('1');
    for (const [name, letters] of Object.entries({ Axial: 'RLAP', Coronal: 'RLSI', Sagittal: 'APSI' }))
      expect((await pane(frame, name).locator('.edge').allInnerTexts()).join('')).toBe(letters);
  });

  it('shows what there is of a file that ends too early, and says so', async () => {
    await window.openFile(join(editor.workspace, 'cut.nii.gz'));
    const frame = await window.webview('cut.nii.gz');
    await window.visible('the reason', frame.getByRole('alert').getByText('the gzip stream ends too early'));
    await window.visible('a plane', pane(frame, 'Axial'));
  });

  it('finds labels and prediction of an image, and shows how they agree', async () => {
    await window.openFile(join(editor.workspace, 'set/imagesTr/case_0000.nii.gz'));
    let frame = await window.webview('case_0000.nii.gz');
    const cards = () => frame.getByRole('region', { name: /case\.nii\.gz$/ });
    await eventually(() => cards().count()).toBe(2);
    // Names are text, whatever is in them.
    await window.visible('a label', cards().first().getByRole('row', { name: '<img src=x> 15.7 ml' }));
    expect(await frame.locator('img').count()).toBe(0);
    await cards().first().getByRole('button', { name: 'Show the largest slice of lung' }).click();
    const status = frame.getByRole('status', { name: 'Crosshair' });
    await eventually(() => status.innerText()).toContain('2 lung');
    await frame.getByRole('combobox', { name: 'Compare' }).selectOption({ index: 1 });
    await window.visible('the legend', frame.getByText('in the reference, but not predicted'));
    await frame.getByRole('checkbox', { name: 'Crosshair' }).uncheck();
    // The view comes back as it was.
    await eventually(() =>
      window.inHost((vscode) => JSON.stringify(vscode.window.tabGroups.activeTabGroup.activeTab?.label)),
    ).toContain('case_0000');
    await window.runCommand('View: Close Editor');
    await window.openFile(join(editor.workspace, 'set/imagesTr/case_0000.nii.gz'));
    frame = await window.webview('case_0000.nii.gz');
    await window.visible('the legend again', frame.getByText('in the reference, but not predicted'));
    expect(await frame.getByRole('checkbox', { name: 'Crosshair' }).isChecked()).toBe(false);
    await eventually(() => frame.getByRole('status', { name: 'Crosshair' }).innerText()).toContain('2 lung');
  });

  it('draws a file over the image that is dropped onto it', async () => {
    await window.openFile(join(editor.workspace, 'ct.nii.gz'));
    const frame = await window.webview('ct.nii.gz');
    await eventually(() => pane(frame, 'Axial').getAttribute('aria-valuemax')).toBe('20');
    const drop = (file: string) =>
      frame.locator('body').evaluate((body, uri) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.setData('application/vnd.code.uri-list', uri);
        body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
      }, pathToFileURL(file).href);
    await drop(join(editor.workspace, 'set/labelsTr/case.nii.gz'));
    const card = frame.getByRole('region', { name: 'labelsTr/case.nii.gz' });
    await window.visible('the labels', card.getByRole('row', { name: /lung/ }));
    await card.getByRole('button', { name: /^Remove/ }).click();
    await eventually(() => card.count()).toBe(0);
    // A file far from the image needs the user's word.
    const outside = editor.inside('elsewhere.nii.gz');
    copyFileSync(join(editor.workspace, 'set/labelsTr/case.nii.gz'), outside);
    await drop(outside);
    expect(await window.answerDialog('Cancel')).toContain('Draw elsewhere.nii.gz over ct.nii.gz?');
    expect(await frame.getByRole('region', { name: /elsewhere/ }).count()).toBe(0);
  });

  it('shows a volume in 3D, beside it', async () => {
    await window.openFile(join(editor.workspace, 'set/imagesTr/case_0000.nii.gz'));
    const frame = await window.webview('case_0000.nii.gz');
    await frame.getByRole('button', { name: '3D' }).click();
    const volume = await window.webview('3D: case_0000.nii.gz');
    await volume.locator('body.shown, body.failed').waitFor({ timeout: editor.timeout });
    for (const theme of ['light', 'hc-dark', 'hc-light', 'dark'] as Theme[]) {
      await window.setTheme(theme);
      expect(await axeFindings(volume), theme).toEqual([]);
    }
    await window.runCommand('View: Close All Editors');
  });

  it('draws the organs of a made-up patient over its image', async () => {
    await volumesWithMasks(join(editor.workspace, 'organs'), 1);
    await window.openFile(join(editor.workspace, 'organs/imagesTr/case00_0000.nii.gz'));
    const frame = await window.webview('case00_0000.nii.gz');
    await window.visible('an organ', frame.getByRole('row', { name: /leftLung/ }));
    for (const theme of ['light', 'hc-dark', 'hc-light', 'dark'] as Theme[]) {
      await window.setTheme(theme);
      expect(await axeFindings(frame), theme).toEqual([]);
    }
    await window.runCommand('View: Close Editor');
  });

  it('measures by keyboard', async () => {
    await window.openFile(join(editor.workspace, 'ct.nii.gz'));
    const frame = await window.webview('ct.nii.gz');
    const axial = pane(frame, 'Axial');
    await eventually(() => axial.getAttribute('aria-valuemax')).toBe('20');
    const press = async (...keys: string[]) => {
      for (const key of keys) await window.page.keyboard.press(key);
    };
    await axial.focus();
    // Three pixels of 2 mm to the right, four down.
    const corner = [...Array(3).fill('Shift+ArrowRight'), ...Array(4).fill('Shift+ArrowDown')];
    await press('d', 'Enter', ...corner, 'Enter', 'd');
    const found = frame.getByRole('list', { name: 'Measurements' });
    await eventually(() => found.innerText()).toContain('10.0 mm');
    await press('r', 'Enter', 'Shift+ArrowRight', 'Enter', 'r');
    await eventually(() => found.innerText()).toMatch(/mean -?\d+\.\d ± \d+\.\d, 12\.6 mm²/);
    await found.getByRole('button', { name: 'Remove 10.0 mm' }).click();
    await eventually(() => found.getByRole('listitem').count()).toBe(1);
  });

  it('shows the header, and what may name a patient only when asked', async () => {
    const frame = await window.webview('ct.nii.gz');
    await frame.getByRole('button', { name: 'Header' }).click();
    const dialog = frame.getByRole('dialog', { name: 'Header of the file' });
    await window.visible('a field', dialog.getByRole('row', { name: /pixDims/ }));
    expect(await dialog.innerText()).not.toContain(patient);
    await dialog.getByRole('button', { name: 'Show Hidden Values' }).click();
    await window.visible('the name', dialog.getByText(patient));
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  it('links the crosshairs of images side by side', async () => {
    await window.runCommand('View: Split Editor Right');
    await window.openFile(join(editor.workspace, 'set/imagesTr/case_0000.nii.gz'));
    const [left, right] = [await window.webview('ct.nii.gz'), await window.webview('case_0000.nii.gz')];
    const status = right.getByRole('status', { name: 'Crosshair' });
    await eventually(() => status.innerText()).toContain('voxel');
    const axial = pane(left, 'Axial');
    await axial.focus();
    await window.page.keyboard.press('Home');
    await eventually(() => status.innerText()).toContain('z 80.0 mm');
    await window.runCommand('View: Close Editor');
  });

  it('opens a case of an evaluation at its errors, and goes on to the next one', async () => {
    await window.runCommand('View: Close All Editors');
    const inside = (path: string) => join(editor.workspace, path);
    const labels = [
      {
        class: null,
        reference: inside('set/labelsTr/case.nii.gz'),
        prediction: inside('set/predictionsTr/case.nii.gz'),
      },
    ];
    const cases = [
      { case: 'other', dice: 0.9, image: inside('ct.nii.gz'), labels: [] },
      { case: 'worst', dice: 0.5, image: inside('set/imagesTr/case_0000.nii.gz'), labels },
    ];
    mkdirSync(inside('evaluation'));
    writeFileSync(inside('evaluation/viewer.json'), JSON.stringify({ format: 1, cases }));
    await window.inHost(
      (vscode, report) => vscode.commands.executeCommand('unimiss.openCase', report, 'worst'),
      inside('evaluation/report.html'),
    );
    const frame = await window.webview('case_0000.nii.gz');
    const bar = frame.getByRole('region', { name: 'Case of the evaluation' });
    await window.visible('the case', bar.getByText('worst: mean Dice 0.500, the worst of 2 (evaluation).'));
    await window.visible('the legend', frame.getByText('in the reference, but not predicted'));
    await pane(frame, 'Axial').focus();
    await window.page.keyboard.press('n');
    const next = await window.webview('ct.nii.gz');
    await window.visible('the next case', next.getByText('other: mean Dice 0.900, number 2 from the worst of 2'));
  });

  it('says why a file is no image', async () => {
    await window.openFile(join(editor.workspace, 'text.nii'));
    const frame = await window.webview('text.nii');
    await window.visible('the reason', frame.getByRole('alert').getByText('text.nii: is not an image'));
    expect(editor.consoleErrors).toEqual([]);
  });
});

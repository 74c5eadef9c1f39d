import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePhantoms } from '../../daemon/data/phantoms/write.ts';
import { setField } from '../../protocol/config/makeConfig.ts';
import { volumesWithMasks } from '../integration/labelledPhantoms.ts';
import { FarMachine, noFarMachine } from './farMachine.ts';
import type { Editor } from './kit/editor.ts';
import type { Window } from './kit/window.ts';
import { eventually, explainFailures, testTimeout, titled } from './support.ts';

const configuration = `{
  "name": "far",
  "data": { "manifest": "phantoms/manifest.csv" },
  "model": { "preset": "nano" },
  "train": { "epochs": 400, "interval": 2, "batch": { "2D": 4, "3D": 2 }, "stepsPerEpoch": 12 },
  "engine": { "executor": "graph" }
}
`;

describe.skipIf(noFarMachine !== '')(titled('another machine in the editor'), { timeout: testTimeout }, () => {
  let machine: FarMachine;
  let editor: Editor;
  let window: Window;

  beforeAll(async () => {
    machine = await FarMachine.start();
    await writePhantoms(join(machine.home, 'phantoms'), { seed: 1, volumes: 4, images: 8 });
    await volumesWithMasks(join(machine.home, 'organs'), 4);
    for (const folder of ['phantoms', 'organs']) machine.own(join(machine.home, folder));
    editor = await machine.openEditor({ workspace: { 'far.unimiss.jsonc': configuration } });
    window = editor.window;
  }, testTimeout);
  afterAll(async () => {
    await editor?.close();
    await machine?.stop();
  });
  explainFailures(() => editor);

  const described = async (label: string, tree = 'Machines') =>
    (await window.treeItems(tree)).find((item) => item.label === label)?.description ?? '';
  const told = async () => (await window.treeItems('Runs')).find(({ label }) => label === 'far')?.description ?? '';

  it('is added by its name; an unknown host key is shown before anything is sent', async () => {
    await window.runCommand('UniMiSS: Add Machine…');
    await window.pick('gpu-a');
    await window.visible('the question', window.page.locator('.monaco-dialog-box'));
    await window.pictures('machine-host-key');
    const asked = await window.answerDialog('Trust and Connect');
    expect(asked).toMatch(/host key of gpu-a/);
    expect(asked).toMatch(/SHA256:/);
    await window.inHost((vscode) => vscode.commands.executeCommand('unimiss.machines.focus'));
    await eventually(() => described('gpu-a')).toMatch(/^no GPU · load|^GPU|^busiest/);
    expect(existsSync(join(machine.home, '.local/share/unimiss/daemon'))).toBe(true);
    expect(await window.inHost((vscode) => vscode.workspace.getConfiguration('unimiss').get('machines'))).toEqual([
      'gpu-a',
    ]);
  });

  it('shows how busy machines are, in dark and light', async () => {
    const row = (await window.tree('Machines')).getByRole('treeitem', { name: /^gpu-a/ });
    await row.click();
    await eventually(async () => (await window.treeItems('Machines')).map(({ label }) => label)).toContain(
      'Processors',
    );
    await window.fold('Data Sets', true);
    await window.pictures('machines');
    await window.fold('Data Sets', false);
  });

  it('says that nothing trains here, and why', async () => {
    expect(await described('This machine')).toMatch(/^only views/);
  });

  it('does not call a data set wrong that only the other machine can check', async () => {
    const file = join(editor.workspace, 'there.unimiss.jsonc');
    writeFileSync(file, '{ "data": { "paths": ["/data/ct"] } }');
    await eventually(() => described('ct', 'Data Sets')).toBe('not checked here');
    rmSync(file);
  });

  const row = async (name: string) =>
    (await window.tree('Runs')).getByRole('treeitem', { name: new RegExp(`^${name},`) });
  const runs = () => join(machine.home, 'unimiss-runs');
  const farRun = () => readdirSync(runs()).find((name) => name.startsWith('far-')) ?? '';
  /** Steps done, as the run's panel says; -1 where it does not yet. */
  const stepsShown = async () => {
    const panel = await window.webview(farRun());
    const tiles = await panel.locator('.tiles').innerText();
    return Number(/([\d,]+) of [\d,]+ steps/.exec(tiles)?.[1]?.replaceAll(',', '') ?? -1);
  };
  /** The steps that the machine has recorded. */
  const recorded = () =>
    readFileSync(join(runs(), farRun(), 'records.jsonl'), 'utf8')
      .split('\n')
      .slice(0, -1) // what follows the last end of line is still being written
      .map((line) => JSON.parse(line))
      .filter(({ kind }) => kind === 'step')
      .map(({ step }) => step);

  it('trains a run, whose curves go on after the line was cut', async () => {
    const file = join(editor.workspace, 'far.unimiss.jsonc');
    await window.inHost(
      (vscode, path) => void vscode.commands.executeCommand('unimiss.startOnMachine', vscode.Uri.file(path)),
      file,
    );
    await window.pick('Start');
    await eventually(told).toMatch(/^gpu-a · \d+ %/);
    await eventually(stepsShown).toBeGreaterThan(2);
    const before = await stepsShown();
    machine.answer(false);
    const pids = machine.cut();
    try {
      await eventually(() => described('gpu-a')).toBe('reconnecting; its runs continue');
      await window.pictures('machine-lost');
    } finally {
      machine.answer(true);
    }
    await eventually(stepsShown).toBeGreaterThan(before + 3);
    await eventually(told).toMatch(/^gpu-a · \d+ %/);
    expect(machine.clients().filter((pid) => pids.includes(pid))).toEqual([]);
    await window.pictures('machine-run');
  });

  it('goes on while no window is open, and the next window finds the run with all its records', async () => {
    await window.closeWindow();
    await eventually(() => machine.clients()).toEqual([]);
    const closed = recorded().length;
    await eventually(() => recorded().length).toBeGreaterThan(closed + 5);
    const missed = recorded().length;
    await window.open();
    await window.runCommand('UniMiSS: Focus on Runs View');
    await eventually(told).toMatch(/^gpu-a · \d+ %/);
    await eventually(stepsShown).toBeGreaterThan(missed);
    await window.inHost(
      (vscode, folder) => vscode.commands.executeCommand('unimiss.stopRun', { folder }),
      `unimiss://gpu-a${join(runs(), farRun())}`,
    );
    await eventually(told).toMatch(/^gpu-a · stopped/);
    const steps = recorded();
    expect(steps).toEqual(steps.map((_, i) => i));
    // What the window fetches of them is as long.
    await window.runCommand('View: Close All Editors');
    await window.choose(await row('far'), 'Export Report or Table…');
    await window.pick('Table of steps');
    const table = join(editor.workspace, 'far-steps.csv');
    await window.answerFileDialog(table);
    await eventually(() => existsSync(table)).toBe(true);
    const lines = () => readFileSync(table, 'utf8').trim().split('\n');
    await eventually(() => lines().length).toBe(steps.length + 1);
  });

  it('shows the command that copies a folder there, and does not run it', async () => {
    const folder = join(editor.workspace, "Anna's new scans");
    mkdirSync(folder);
    const machineRow = (await window.tree('Machines')).getByRole('treeitem', { name: /^gpu-a/ });
    await window.choose(machineRow, 'Copy Data to Machine…');
    await window.answerFileDialog(folder);
    const line = () =>
      window.inHost(async (vscode) => {
        await vscode.commands.executeCommand('workbench.action.terminal.selectAll');
        await vscode.commands.executeCommand('workbench.action.terminal.copySelection');
        return (await vscode.env.clipboard.readText()).trimEnd().split('\n').at(-1);
      });
    await eventually(line).toMatch(/rsync .*\/'$/);
    const command = (await line())?.replace(/^.*?(?=rsync )/, '') ?? '';
    const words = execFileSync('sh', ['-c', `rsync() { printf '%s\\n' "$@"; }; ${command}`], { encoding: 'utf8' });
    expect(words.trimEnd().split('\n')).toEqual(['-avP', `${folder}/`, "gpu-a:data/Anna's new scans/"]);
    await window.inHost(async (vscode) => {
      await vscode.commands.executeCommand('workbench.action.terminal.clearSelection');
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    });
    await window.pictures('machine-rsync');
    await window.inHost((vscode) => vscode.window.activeTerminal?.dispose());
  });

  const image = () => join(machine.home, 'organs/imagesTr/case00_0000.nii.gz');

  it('copies the weights of a run from there', async () => {
    await window.runCommand('View: Close All Editors');
    await window.choose(await row('far'), 'Export Weights…');
    await window.pick('Teacher');
    const out = join(editor.workspace, 'far-weights');
    await window.answerFileDialog(out);
    await eventually(() => existsSync(join(out, 'plan.json'))).toBe(true);
    expect(JSON.parse(readFileSync(join(out, 'plan.json'), 'utf8'))).toMatchObject({ role: 'teacher' });
  });

  it('plans a data set there, and fine-tunes the run on it by its menu', async () => {
    await window.inHost(
      (vscode, address) => void vscode.commands.executeCommand('unimiss.planData', vscode.Uri.parse(address)),
      `unimiss://${machine.host}${join(machine.home, 'organs')}`,
    );
    const file = join(editor.workspace, 'organs.unimiss.jsonc');
    // A question that is asked before would be closed when the file opens.
    await window.visible('the configuration', window.page.locator('.tab.active', { hasText: 'organs.unimiss.jsonc' }));
    await window.notification(/3D segmentation, 4 labelled cases/);
    const small: [string, unknown][] = [
      ['data.folds', 2],
      ['model.preset', 'nano'],
      ['plan.patch', [16, 64, 64]],
      ['train', { epochs: 1, stepsPerEpoch: 2, batch: 2, lr: 1e-3, seed: 3 }],
    ];
    const planned = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      small.reduce((text, [field, value]) => setField(text, field.split('.'), value), planned),
    );
    await window.choose(await row('far'), 'Fine-tune from This…');
    await window.pick('organs.unimiss.jsonc');
    await window.pick('Start');
    const tuned = async () =>
      (await window.tree('Runs')).getByRole('treeitem', { name: /^organs, .*on gpu-a.*finished/ }).count();
    await eventually(tuned).toBe(1);
  });

  it('evaluates a network there, and shows its report', async () => {
    await window.choose(await row('organs'), 'Evaluate…');
    await window.pick('Test cases');
    const report = await window.webview('Evaluation of organs');
    await report.getByText('Research only. Not for clinical use.').waitFor();
    await report
      .getByRole('button', { name: /^case\d\d$/ })
      .first()
      .waitFor();
  });

  it('opens an image of that machine in the viewer, and draws the labels of a prediction there over it', async () => {
    await window.runCommand('UniMiSS: Open on Machine…');
    await window.answerQuickInput(image());
    const viewer = await window.webview('case00_0000.nii.gz');
    await viewer.getByRole('slider', { name: 'Axial plane' }).waitFor();
    const uri = () => window.inHost((vscode) => String(vscode.window.tabGroups.activeTabGroup.activeTab?.input?.uri));
    expect(await uri()).toBe(`unimiss://${machine.host}${image()}`);
    await window.choose(await row('organs'), 'Predict with…');
    await window.pick(image()); // what was named before is offered
    await window.answerQuickInput(join(machine.home, 'labels'));
    await window.notification(/1 image labelled on gpu-a/);
    await viewer.getByRole('region', { name: 'labels/case00_0000.nii.gz' }).waitFor();
    expect(existsSync(join(machine.home, 'labels/case00_0000.nii.gz'))).toBe(true);
    await window.pictures('machine-viewer');
  });

  it('nothing in the consoles', () => {
    expect(editor.consoleErrors).toEqual([]);
  });
});

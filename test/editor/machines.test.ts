import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePhantoms } from '../../daemon/data/phantoms/write.ts';
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
    machine.own(join(machine.home, 'phantoms'));
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
    await window.screenshot('machines-dark');
    await window.setTheme('light');
    await window.screenshot('machines-light');
    await window.setTheme('dark');
  });

  it('says that nothing trains here, and why', async () => {
    expect(await described('This machine')).toMatch(/^only views/);
  });

  it('trains a run, whose curves go on after the line was cut', async () => {
    const file = join(editor.workspace, 'far.unimiss.jsonc');
    await window.inHost(
      (vscode, path) => void vscode.commands.executeCommand('unimiss.startOnMachine', vscode.Uri.file(path)),
      file,
    );
    await window.pick('Start');
    await eventually(told).toMatch(/^gpu-a · \d+ %/);
    const runs = join(machine.home, 'unimiss-runs');
    const name = readdirSync(runs).find((one) => one.startsWith('far-'));
    const panel = await window.webview(name);
    const steps = async () =>
      Number(
        /([\d,]+) of [\d,]+ steps/.exec(await panel.locator('.tiles').innerText())?.[1]?.replaceAll(',', '') ?? -1,
      );
    await eventually(steps).toBeGreaterThan(2);
    const before = await steps();
    const pids = machine.cut();
    await eventually(steps).toBeGreaterThan(before + 3);
    await eventually(told).toMatch(/^gpu-a · \d+ %/);
    expect(machine.clients().filter((pid) => pids.includes(pid))).toEqual([]);
    await window.screenshot('machine-run-dark');
    await window.inHost(
      (vscode, folder) => vscode.commands.executeCommand('unimiss.stopRun', { folder }),
      `unimiss://gpu-a${join(runs, name ?? '')}`,
    );
    await eventually(told).toMatch(/^gpu-a · stopped/);
  });

  it('nothing in the consoles', () => {
    expect(editor.consoleErrors).toEqual([]);
  });
});

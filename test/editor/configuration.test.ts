import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig } from '../../protocol/config/parseConfig.ts';
import { volumesWithMasks } from '../integration/labelledPhantoms.ts';
import { Editor } from './kit/editor.ts';
import type { Window } from './kit/window.ts';
import { eventually, explainFailures, packVsix, skipped, testTimeout, titled } from './support.ts';

const files = {
  'good.unimiss.jsonc': '{\n  "data": { "paths": ["images"] },\n  "model": {  },\n}\n',
  'bad.unimiss.jsonc':
    '{\n  "data": { "paths": ["images"] },\n  "train": { "epoch": 3 },\n  "model": { "preset": "huge" }\n}\n',
  'mistake.unimiss.jsonc': '{\n  "data": { "paths": ["images"] },\n  "train": { "epoch": 3 }\n}\n',
  'syntax.unimiss.jsonc': '{\n  "data": { "paths": ["images"] },\n  "train": { "epochs": }\n}\n',
};
const environment = (folder: string) => ({
  UNIMISS_RUNS: join(folder, 'runs'),
  XDG_CACHE_HOME: join(folder, 'cache'),
  UNIMISS_TENSORFLOW: '',
});

/** What the editor shows of a configuration. */
function helpIn(editor: () => Editor) {
  const path = (name: string) => join(editor().workspace, name);
  return {
    problems: async (name: string) =>
      (await editor().window.problems())
        .filter(({ file }) => file === path(name))
        .map(({ line, message }) => `${line}: ${message.split('\n')[0]}`)
        .sort(),
    /** Labels at a place, as often as they are proposed. */
    proposals: (name: string, line: number, column: number): Promise<string[]> =>
      editor().window.inHost(
        async (vscode, file, l, c) => {
          const at = new vscode.Position(l, c);
          const uri = vscode.Uri.file(file);
          const found = await vscode.commands.executeCommand('vscode.executeCompletionItemProvider', uri, at);
          return found.items.map((item: { label: string | { label: string } }) =>
            typeof item.label === 'string' ? item.label : item.label.label,
          );
        },
        path(name),
        line,
        column,
      ),
    hovers: (name: string, line: number, column: number): Promise<string[]> =>
      editor().window.inHost(
        async (vscode, file, l, c) => {
          const at = new vscode.Position(l, c);
          const found = await vscode.commands.executeCommand('vscode.executeHoverProvider', vscode.Uri.file(file), at);
          return found
            .map(({ contents }: { contents: { value: string }[] }) => contents.map(({ value }) => value).join('\n'))
            .filter((text: string) => text !== ''); // the editor shows no empty one
        },
        path(name),
        line,
        column,
      ),
  };
}

describe.skipIf(skipped !== '')(titled('help with a configuration'), { timeout: testTimeout }, () => {
  let editor: Editor;
  let window: Window;
  const { problems, proposals, hovers } = helpIn(() => editor);
  /** The daemon's socket lies here; a folder that others may read is refused. */
  const place = () => editor.inside('run', 'unimiss');

  beforeAll(async () => {
    editor = await Editor.open({ vsix: packVsix(), workspace: files, env: environment });
    window = editor.window;
    mkdirSync(join(editor.workspace, 'images'));
    mkdirSync(place());
    chmodSync(place(), 0o755);
    await window.openFile(join(editor.workspace, 'good.unimiss.jsonc'));
    await window.statusBar(/UniMiSS: offline/);
  }, testTimeout);
  afterAll(() => editor?.close());
  explainFailures(() => editor);

  it('comes from the schema while there is no daemon, everything once', async () => {
    await eventually(() => proposals('good.unimiss.jsonc', 2, 13)).toContain('size2D');
    const labels = await proposals('good.unimiss.jsonc', 2, 13);
    expect(labels.filter((label) => label === 'size2D')).toHaveLength(1);
    const [about, ...others] = await hovers('good.unimiss.jsonc', 2, 5);
    expect(about).toContain('The network.');
    expect(others).toEqual([]);
    await window.openFile(join(editor.workspace, 'bad.unimiss.jsonc'));
    await eventually(() => problems('bad.unimiss.jsonc')).toEqual([
      '3: Property epoch is not allowed.',
      '4: Value is not accepted. Valid values: "nano", "tiny", "small".',
    ]);
    await window.openFile(join(editor.workspace, 'syntax.unimiss.jsonc'));
    await eventually(() => problems('syntax.unimiss.jsonc')).toEqual(['3: Value expected']);
    expect(await problems('good.unimiss.jsonc')).toEqual([]); // a trailing comma is allowed
  });

  it('comes from the daemon as soon as it is there, everything once', async () => {
    chmodSync(place(), 0o700);
    await window.inHost((vscode) => vscode.commands.executeCommand('unimiss.reconnect'));
    await window.statusBar(/^\s*UniMiSS\s*$/);
    await eventually(() => problems('bad.unimiss.jsonc')).toEqual([
      '3: train.epoch: unknown key "epoch"',
      '4: model.preset: "huge" is not one of "nano", "tiny", "small"',
    ]);
    await eventually(() => problems('syntax.unimiss.jsonc')).toEqual(['3: Value expected']);
    const labels = await proposals('good.unimiss.jsonc', 2, 13);
    expect(labels.filter((label) => label === 'size2D')).toHaveLength(1);
    expect(new Set(labels).size).toBe(labels.length);
    expect(await proposals('bad.unimiss.jsonc', 3, 23)).toEqual(
      expect.arrayContaining(['"nano"', '"tiny"', '"small"']),
    );
    const [about, ...others] = await hovers('good.unimiss.jsonc', 2, 5);
    expect(about).toMatch(/The network\.[\s\S]*`size2D`: `\[224,224\]`, which follows from/);
    expect(others).toEqual([]);
  });

  /** Sets the cursor in the active editor. */
  const goTo = (line: number, column: number) =>
    window.inHost(
      (vscode, l, c) => {
        const at = new vscode.Position(l, c);
        vscode.window.activeTextEditor.selection = new vscode.Selection(at, at);
      },
      line,
      column,
    );

  it('says what a field means, its default and its value, where the pointer rests', async () => {
    await window.openFile(join(editor.workspace, 'good.unimiss.jsonc'));
    await goTo(2, 5);
    const hover = window.page.locator('.monaco-hover:visible', { hasText: 'The network.' });
    await window.pictures('configuration-hover', () => window.shownBy('Show or Focus Hover', 'the explanation', hover));
    expect(await hover.first().innerText()).toMatch(/size2D: \[224,\s*224\]/);
  });

  it('mends a mistake by a quick fix', async () => {
    await window.openFile(join(editor.workspace, 'mistake.unimiss.jsonc'));
    await eventually(() => problems('mistake.unimiss.jsonc')).toEqual(['3: train.epoch: unknown key "epoch"']);
    await goTo(2, 14);
    const fix = window.page.locator('.action-widget .monaco-list-row', { hasText: 'Replace with "epochs"' });
    await window.pictures('configuration-fix', async () => {
      await window.page.keyboard.press('Escape'); // what was shown in another theme
      await window.shownBy('Quick Fix...', 'the fix', fix);
    });
    await fix.click();
    await eventually(() => problems('mistake.unimiss.jsonc')).not.toContainEqual(
      expect.stringContaining('unknown key'),
    );
    expect(await window.inHost((vscode) => vscode.window.activeTextEditor.document.getText())).toContain('"epochs": 3');
    await window.runCommand('File: Save');
  });

  it('completes a field with its default, as typed', async () => {
    await window.openFile(join(editor.workspace, 'good.unimiss.jsonc'));
    await goTo(2, 12);
    const list = window.page.locator('.suggest-widget.visible');
    await window.shownBy('Trigger Suggest', 'the fields', list.locator('.monaco-list-row', { hasText: 'size3D' }));
    await window.page.keyboard.type('drop');
    await window.visible('one field', list.locator('.monaco-list-row.focused', { hasText: 'dropPath' }));
    await window.page.keyboard.press('Control+Space');
    await window.visible(
      'what it means',
      window.page.locator('.suggest-details', { hasText: 'skipping a residual branch' }),
    );
    await window.pictures('configuration-completion');
    await window.page.keyboard.press('Enter');
    const text = () => window.inHost((vscode) => vscode.window.activeTextEditor.document.getText());
    await eventually(text).toContain('"dropPath": 0');
  });

  it('is written by a short wizard, with comments and as many epochs as fit into the time', async () => {
    const images = join(editor.workspace, 'chest');
    mkdirSync(images);
    for (let i = 0; i < 8; i++)
      writeFileSync(
        join(images, `${i}.png`),
        encode({ width: 80, height: 80, data: new Uint8Array(80 * 80).fill(i), channels: 1, depth: 8 }),
      );
    await window.runCommand('UniMiSS: New Configuration…');
    await window.pick('Pre-train');
    await window.answerFileDialog(images);
    await window.pick('tiny');
    await window.pick('Random weights');
    await window.pick('Another time…');
    await window.pictures('wizard-hours');
    await window.answerQuickInput('0.5');
    await window.visible('the new file', window.page.locator('.tab.active', { hasText: 'chest.unimiss.jsonc' }));
    const text = readFileSync(join(editor.workspace, 'chest.unimiss.jsonc'), 'utf8');
    const { config, problems: wrong } = checkConfig(text);
    expect(wrong).toEqual([]);
    expect(config).toMatchObject({ name: 'chest', data: { paths: [images] }, model: { preset: 'tiny' } });
    const epochs = config?.train.epochs ?? 0;
    expect(epochs % 4).toBe(0);
    expect(text).toMatch(
      new RegExp(`^// A UniMiSS pre-training run.*\\n// ${epochs.toLocaleString('en')} epochs fit into 30 min on `),
    );
    await window.visible('the lenses', window.page.locator('.codelens-decoration', { hasText: /Start.*Check Data/ }));
    await window.pictures('wizard-file');
  });

  it('is written for a fine-tuning, too: weights, time, and what the data set asks for', async () => {
    await volumesWithMasks(join(editor.workspace, 'organs'), 4);
    await window.runCommand('UniMiSS: New Configuration…');
    await window.pick('Fine-tune');
    await window.pick('From scratch');
    await window.pick('One hour');
    await window.answerFileDialog(join(editor.workspace, 'organs'));
    await window.visible('the new file', window.page.locator('.tab.active', { hasText: 'organs.unimiss.jsonc' }));
    const file = join(editor.workspace, 'organs.unimiss.jsonc');
    await eventually(() => existsSync(file)).toBe(true);
    const { config, problems: wrong } = checkConfig(readFileSync(file, 'utf8'));
    expect(wrong).toEqual([]);
    expect(config).toMatchObject({
      ...{ task: 'finetune', problem: 'segmentation', modality: '3D' },
      ...{ data: { path: join(editor.workspace, 'organs') }, start: { from: null }, train: { hours: 1 } },
    });
    await window.pictures('wizard-finetuning');
  });

  it('of an experiment comes from its schema', async () => {
    const experiment = join(editor.workspace, 'a.experiment.jsonc');
    writeFileSync(experiment, '{\n  // arms\n  "nmae": "a",\n  "base": {  },\n}\n');
    await window.openFile(experiment);
    await eventually(() => problems('a.experiment.jsonc')).toContainEqual(expect.stringContaining('nmae'));
    await eventually(() => proposals('a.experiment.jsonc', 3, 12)).toContain('model');
    await window.runCommand('Notifications: Clear All Notifications');
    await goTo(3, 12);
    await window.shownBy(
      'Trigger Suggest',
      'a field',
      window.page.locator('.suggest-widget.visible .monaco-list-row', { hasText: 'model' }),
    );
    await window.pictures('experiment-help');
  });

  it('comes from the schema again when the daemon is lost', async () => {
    await window.runCommand('UniMiSS: Show Log'); // so that no configuration asks for a connection
    const pid = Number(/process (\d+)/.exec(editor.outputChannel('UniMiSS'))?.[1]);
    chmodSync(place(), 0o755);
    process.kill(pid, 'SIGKILL');
    await eventually(() => problems('bad.unimiss.jsonc')).toEqual([
      '3: Property epoch is not allowed.',
      '4: Value is not accepted. Valid values: "nano", "tiny", "small".',
    ]);
    expect(editor.hostErrors()).toBe('');
    expect(editor.consoleErrors).toEqual([]);
  });
});

describe.skipIf(skipped !== '')(titled('an untrusted workspace'), { timeout: testTimeout }, () => {
  let editor: Editor;
  let window: Window;
  const { problems, proposals, hovers } = helpIn(() => editor);

  beforeAll(async () => {
    editor = await Editor.open({ vsix: packVsix(), workspace: files, env: environment, trusted: false });
    window = editor.window;
    mkdirSync(join(editor.workspace, 'images'));
  }, testTimeout);
  afterAll(() => editor?.close());
  explainFailures(() => editor);

  it('has the schema, and starts nothing', async () => {
    expect(await window.inHost((vscode) => vscode.workspace.isTrusted)).toBe(false);
    await window.openFile(join(editor.workspace, 'bad.unimiss.jsonc'));
    await eventually(() => problems('bad.unimiss.jsonc')).toHaveLength(2);
    await window.pictures('configuration-untrusted');
    await window.openFile(join(editor.workspace, 'good.unimiss.jsonc'));
    expect((await proposals('good.unimiss.jsonc', 2, 13)).filter((label) => label === 'size2D')).toHaveLength(1);
    expect(await hovers('good.unimiss.jsonc', 2, 5)).toHaveLength(1);
    expect(existsSync(editor.inside('run', 'unimiss'))).toBe(false);
  });

  it('keeps its configurations from the daemon, which shows runs', async () => {
    await window.runCommand('UniMiSS: Focus on Runs View');
    await window.statusBar(/^\s*UniMiSS\s*$/);
    expect(await problems('bad.unimiss.jsonc')).toEqual([
      '3: Property epoch is not allowed.',
      '4: Value is not accepted. Valid values: "nano", "tiny", "small".',
    ]);
    const lenses = await window.inHost(
      async (vscode, file) => {
        return (await vscode.commands.executeCommand('vscode.executeCodeLensProvider', vscode.Uri.file(file))).length;
      },
      join(editor.workspace, 'good.unimiss.jsonc'),
    );
    expect(lenses).toBe(0);
    expect((await proposals('good.unimiss.jsonc', 2, 13)).filter((label) => label === 'size2D')).toHaveLength(1);
  });

  it('refuses the commands that start something, with what to do', async () => {
    const commands = ['startPretraining', 'pretrainFolder', 'tryMadeUpImages', 'planData', 'finetune', 'finetuneFrom'];
    const file = join(editor.workspace, 'good.unimiss.jsonc');
    for (const command of commands) {
      await window.inHost(
        (vscode, id, path) => vscode.commands.executeCommand(id, vscode.Uri.file(path)),
        `unimiss.${command}`,
        file,
      );
      await window.notification('This command works only in a trusted workspace.');
      await window.runCommand('Notifications: Clear All Notifications');
    }
    expect(existsSync(editor.inside('runs')) ? readdirSync(editor.inside('runs')) : []).toEqual([]);
  });

  it('shows images', async () => {
    await volumesWithMasks(join(editor.workspace, 'organs'), 1);
    await window.openFile(join(editor.workspace, 'organs/imagesTr/case00_0000.nii.gz'));
    const page = await window.webview('case00_0000.nii.gz');
    await page.locator('canvas').first().waitFor({ timeout: editor.timeout });
    await window.visible('a label', page.getByRole('row', { name: /leftLung/ }));
    expect(await page.getByRole('button', { name: 'Predict…' }).isVisible()).toBe(false);
    await window.pictures('viewer-untrusted');
    expect(editor.hostErrors()).toBe('');
  });

  it('has the daemon’s help once it is trusted', async () => {
    await window.runCommand('Workspaces: Manage Workspace Trust');
    const trust = window.page.locator('.workspace-trust-editor a.monaco-button', { hasText: /^Trust$/ }).first();
    // Its place may lie outside the window; and the page draws its buttons anew, which loses a key.
    await eventually(async () => {
      if (await window.inHost((vscode) => vscode.workspace.isTrusted)) return true;
      await trust.press('Enter', { timeout: 1000 });
      return false;
    }).toBe(true);
    await window.openFile(join(editor.workspace, 'bad.unimiss.jsonc'));
    await eventually(() => problems('bad.unimiss.jsonc')).toEqual([
      '3: train.epoch: unknown key "epoch"',
      '4: model.preset: "huge" is not one of "nano", "tiny", "small"',
    ]);
  });
});

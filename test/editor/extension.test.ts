import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunFolder } from '../../daemon/runs/folder/runFolder.ts';
import manifest from '../../package.json' with { type: 'json' };
import { resolveConfig } from '../../protocol/config/index.ts';
import { checkConfig, parseConfig } from '../../protocol/config/parseConfig.ts';
import { Editor } from './kit/editor.ts';
import type { Window } from './kit/window.ts';
import { eventually, explainFailures, packVsix, skipped, testTimeout, titled } from './support.ts';

const good = '{\n  "data": { "paths": ["images"] },\n  "model": {  },\n  "train": { "lr": 8e-4 }\n}\n';
const bad = `{
  "data": { "paths": ["images"] },
  "train": { "epoch": 3 },
  "model": { "preset": "huge" }
}
`;

describe.skipIf(skipped !== '')(titled('the extension, installed from its VSIX'), { timeout: testTimeout }, () => {
  let editor: Editor;
  let window: Window;
  const problems = async () =>
    (await window.problems())
      .map(({ severity, line, message }) => `${severity} ${line}: ${message}`)
      .filter((text) => text.startsWith('Error'));

  beforeAll(async () => {
    editor = await Editor.open({
      vsix: packVsix(),
      workspace: { 'good.unimiss.jsonc': good, 'bad.unimiss.jsonc': bad },
      env: (folder) => ({
        UNIMISS_RUNS: join(folder, 'workspace', 'runs'),
        XDG_CACHE_HOME: join(folder, 'cache'),
        UNIMISS_TENSORFLOW: '',
      }),
    });
    window = editor.window;
    mkdirSync(join(editor.workspace, 'images'));
    for (let i = 0; i < 8; i++)
      writeFileSync(
        join(editor.workspace, 'images', `${i}.png`),
        encode({ width: 80, height: 80, data: new Uint8Array(80 * 80).fill(i), channels: 1, depth: 8 }),
      );
  }, testTimeout);
  afterAll(() => editor?.close());
  explainFailures(() => editor);

  it('is active, and every command of the manifest is there', async () => {
    const { active, commands } = await window.inHost(async (vscode) => ({
      active: vscode.extensions.getExtension('unimiss.unimiss').isActive,
      commands: (await vscode.commands.getCommands(true)).filter((id: string) => id.startsWith('unimiss.')),
    }));
    expect(active).toBe(true);
    expect(commands).toEqual(expect.arrayContaining(manifest.contributes.commands.map(({ command }) => command)));
  });

  it('says why the daemon cannot be reached, and reaches it when that is put right', async () => {
    const place = editor.inside('run', 'unimiss');
    mkdirSync(place);
    chmodSync(place, 0o755);
    await window.runCommand('UniMiSS: Focus on Runs View');
    const failed = await window.statusBar(/UniMiSS: offline/);
    await window.visible('the reason', window.page.locator('.pane', { hasText: 'other users can access the folder' }));
    chmodSync(place, 0o700);
    await failed.click();
    await window.statusBar(/^\s*UniMiSS\s*$/);
  });

  it('says what to do where there is no run yet', async () => {
    await window.runCommand('UniMiSS: Focus on Runs View');
    await window.visible('the welcome', window.page.locator('.welcome-view-content', { hasText: 'No runs yet' }));
    await eventually(() => editor.outputChannel('UniMiSS')).toContain('Connected to the background server');
    await window.statusBar(/^\s*UniMiSS\s*$/);
    await window.pictures('no-runs');
  });

  it('walks a newcomer through its first hour', async () => {
    // Beside a side bar there is no room for the pictures of its steps.
    await window.inHost((vscode) => vscode.commands.executeCommand('workbench.action.closeSidebar'));
    await window.runCommand('UniMiSS: Open Walkthrough');
    const page = window.page.locator('.gettingStartedContainer');
    await window.visible('its title', page.getByText('Get Started with UniMiSS'));
    const steps = manifest.contributes.walkthroughs[0]!.steps;
    await eventually(() => page.locator('.getting-started-step').count()).toBe(steps.length);
    await window.visible('the first step', page.getByRole('button', { name: 'Check Installation' }));
    await window.pictures('walkthrough');
    await page.locator('.getting-started-step', { hasText: 'Read the curves' }).click();
    await window.visible('its picture', window.page.locator('iframe.webview.ready'));
    await window.pictures('walkthrough-curves');
    await window.runCommand('View: Close All Editors');
    await window.runCommand('UniMiSS: Focus on Runs View');
  });

  it('underlines what is wrong in a configuration, once, and says the remedy', async () => {
    await window.openFile(join(editor.workspace, 'bad.unimiss.jsonc'));
    await eventually(problems).toEqual(
      expect.arrayContaining([
        'Error 3: train.epoch: unknown key "epoch"\nDid you mean "epochs"?',
        expect.stringMatching(/^Error 4: model\.preset: "huge" is not one of "nano", "tiny", "small"$/),
      ]),
    );
    // The editor's own JSON support has looked at it as well by the time it offers completions.
    await window.inHost(
      (vscode, file) =>
        vscode.commands.executeCommand(
          'vscode.executeCompletionItemProvider',
          vscode.Uri.file(file),
          new vscode.Position(2, 12),
        ),
      join(editor.workspace, 'bad.unimiss.jsonc'),
    );
    expect(await problems()).toHaveLength(2);
    await window.pictures('configuration-problems');
  });

  it('completes and explains the fields of a configuration', async () => {
    const file = join(editor.workspace, 'good.unimiss.jsonc');
    await window.openFile(file);
    const proposals = async () =>
      window.inHost(async (vscode, path) => {
        const at = new vscode.Position(2, 13);
        const list = await vscode.commands.executeCommand(
          'vscode.executeCompletionItemProvider',
          vscode.Uri.file(path),
          at,
        );
        return list.items.map((item: { label: string }) => item.label);
      }, file);
    await eventually(proposals).toEqual(expect.arrayContaining(['preset', 'size2D', 'size3D', 'dropPath', 'head']));
    // Beside those of the other file, only what the machine lacks.
    expect((await problems()).filter((text) => !text.includes('TensorFlow'))).toHaveLength(2);
  });

  it('offers what the daemon knows of a configuration: fixes, paths, lenses with what a run would do', async () => {
    const bad = join(editor.workspace, 'bad.unimiss.jsonc');
    await window.openFile(bad);
    const fixes = () =>
      window.inHost(async (vscode, path) => {
        const range = new vscode.Range(2, 0, 3, 30);
        const uri = vscode.Uri.file(path);
        const found = await vscode.commands.executeCommand('vscode.executeCodeActionProvider', uri, range);
        return found.map((one: { title: string }) => one.title);
      }, bad);
    await eventually(fixes).toContain('Replace with "epochs"');
    const good = join(editor.workspace, 'good.unimiss.jsonc');
    await window.openFile(good);
    const lenses = () =>
      window.inHost(async (vscode, path) => {
        const uri = vscode.Uri.file(path);
        const found = await vscode.commands.executeCommand('vscode.executeCodeLensProvider', uri, 10);
        return found.map((one: { command?: { title: string } }) => one.command?.title ?? '');
      }, good);
    await eventually(lenses).toEqual(['▶ Start', 'Check Data', expect.stringMatching(/^8 2D images · .* steps in/)]);
    // No TensorFlow is there: the editor's own words, and a fix that is its own command.
    const missing = (await window.problems()).find(
      ({ file, message }) => file === good && message.includes('TensorFlow is not installed'),
    );
    expect(missing?.message).toContain('Run "UniMiSS: Install TensorFlow…" (once for this user).');
    const installs = await window.inHost(
      async (vscode, path, line) => {
        const range = new vscode.Range(line, 0, line, 1);
        const uri = vscode.Uri.file(path);
        const found = await vscode.commands.executeCommand('vscode.executeCodeActionProvider', uri, range);
        return found.map((one: { command?: { command: string } }) => one.command?.command);
      },
      good,
      (missing?.line ?? 0) - 1,
    );
    expect(installs).toContain('unimiss.installEngine');
    const paths = await window.inHost(async (vscode, path) => {
      const at = new vscode.Position(1, 24); // within "images"
      const list = await vscode.commands.executeCommand(
        'vscode.executeCompletionItemProvider',
        vscode.Uri.file(path),
        at,
      );
      return list.items.map((item: { label: string }) => item.label);
    }, good);
    expect(paths).toContain('images/');
    await window.visible(
      'the lenses',
      window.page.locator('.codelens-decoration', { hasText: /Check Data.*8 2D images/ }),
    );
    // Used is less than what stands there, which is for a batch of 256.
    await window.visible(
      'the value used',
      window.page.locator('.view-line', { hasText: /8e-4\s*→\s*0\.000025\s+used/ }),
    );
    await window.pictures('configuration-lenses');
  });

  it('refuses to start what cannot be trained, and shows why', async () => {
    await window.openFile(join(editor.workspace, 'bad.unimiss.jsonc'));
    await window.runCommand('UniMiSS: Start Pre-training…');
    await window.pick('bad.unimiss.jsonc');
    await window.notification(/Fix 2 problems in bad\.unimiss\.jsonc before training/);
    expect(readdirSync(editor.workspace)).not.toContain('runs');
  });

  it('makes a configuration from picked folders', async () => {
    const images = join(editor.workspace, 'chest');
    mkdirSync(images);
    await window.runCommand('UniMiSS: Start Pre-training…');
    await window.pick('Folders with images…');
    await window.answerFileDialog(images);
    await window.pick('nano');
    // There are no images in it, so only editing is offered.
    await window.pick('Edit Configuration');
    const text = readFileSync(join(editor.workspace, 'chest.unimiss.jsonc'), 'utf8');
    const { config, problems } = checkConfig(text);
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ name: 'chest', data: { paths: [images] }, model: { preset: 'nano' } });
    await window.visible('the new file', window.page.locator('.tab.active', { hasText: 'chest.unimiss.jsonc' }));
  });

  it('says before a run what it will do, offers to install TensorFlow, and starts none without it', async () => {
    await window.runCommand('Notifications: Clear All Notifications');
    await window.runCommand('View: Hide Panel');
    await window.runCommand('UniMiSS: Start Pre-training…');
    await window.pick('good.unimiss.jsonc');
    await window.page.getByPlaceholder(/^8 2D images · [\d,]+ steps in [\d,]+ epochs$/).waitFor();
    await window.page.getByText(/^about .* memory · /).waitFor();
    await window.pictures('last-look');
    await window.pick('Start');
    expect(await window.answerDialog('Cancel')).toContain('UniMiSS needs TensorFlow');
    expect(readdirSync(editor.workspace)).not.toContain('runs');
  });

  it('shows what a bug report needs', async () => {
    await window.runCommand('UniMiSS: Check Installation');
    await window.visible('the report', window.page.locator('.tab.active', { hasText: 'UniMiSS Installation' }));
    const report = await window.inHost((vscode) => vscode.window.activeTextEditor.document.getText());
    expect(report).toContain('TensorFlow');
  });

  it('connects again after the connection was lost, and restarts the daemon on command', async () => {
    const connections = () =>
      [...editor.outputChannel('UniMiSS').matchAll(/Connected to the background server .*\(process (\d+)\)/g)].map(
        ([, pid]) => Number(pid),
      );
    const [first] = connections();
    process.kill(first!, 'SIGKILL');
    await eventually(() => connections().length).toBe(2);
    expect(connections()[1]).not.toBe(first);
    await window.runCommand('UniMiSS: Restart Background Server');
    await eventually(() => connections().length).toBe(3);
    expect(new Set(connections()).size).toBe(3);
  });

  it('shows the folder of a run that is in the workspace in the explorer', async () => {
    const text = '{ "name": "inside", "data": { "paths": ["images"] }, "model": { "preset": "nano" } }';
    const config = resolveConfig(parseConfig(text, 'inside'), { baseDir: editor.workspace });
    const { id } = await RunFolder.create(join(editor.workspace, 'runs'), text, config);
    await window.runCommand('UniMiSS: Focus on Runs View');
    await (await window.tree('Runs')).getByRole('treeitem', { name: /^inside/ }).waitFor({ timeout: editor.timeout });
    await window.runCommand('UniMiSS: Open Run Folder');
    const rows = window.page.locator('.explorer-folders-view .monaco-list-row.selected', { hasText: id });
    await window.visible('the folder in the explorer', rows);
  });

  it('leaves no error in the consoles', () => {
    // Error notifications are written there too.
    expect(editor.consoleErrors.filter((line) => !line.includes('Fix 2 problems in'))).toEqual([]);
    expect(editor.hostErrors()).toBe('');
  });
});

import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator, Locator } from 'playwright-core';
import { expect } from 'vitest';
import { setField } from '../../protocol/config/makeConfig.ts';
import type { Theme } from './kit/surroundings.ts';
import { until } from './kit/until.ts';
import type { Window } from './kit/window.ts';
import { eventually } from './support.ts';

/** Where a walk's images are and its runs train. */
export interface Ground {
  /** A machine of the window; undefined: this machine. */
  readonly host?: string;
  /** A folder with volumes and pictures without labels, on the ground. */
  readonly images: string;
  /** A labelled data set, on the ground. */
  readonly organs: string;
  /** The runs' folder, on the ground. */
  readonly runs: string;
  /** A new folder for labels, on the ground. */
  readonly labels: string;
  /** A folder for configurations, on this machine. */
  readonly configurations: string;
}

/**
 * The way of a researcher from images to a report without leaving the editor: as a user, by menus, questions and buttons. Takes a picture
 * of everything that it passes, in dark and light.
 */
export class Walk {
  private pictures = 0;

  constructor(
    private readonly window: Window,
    private readonly name: string,
    private readonly ground: Ground,
  ) {}

  /** An empty window, and what it says. */
  async begin(): Promise<void> {
    await this.window.runCommand('UniMiSS: Focus on Runs View');
    await this.window.statusBar(/^\s*UniMiSS\s*$/);
    await this.window.visible(
      'the welcome',
      this.window.page.locator('.welcome-view-content', { hasText: 'No runs yet' }),
    );
    await this.picture('empty-window');
  }

  /** A pre-training, from the wizard's questions to its file. @param fields that make it short */
  async configurePretraining(fields: Record<string, unknown>): Promise<void> {
    const { window, ground } = this;
    await window.runCommand('UniMiSS: New Configuration…');
    await this.question('Pre-train');
    await this.picture('wizard');
    await window.pick('Pre-train');
    await this.chooseGround();
    await this.answerPath(ground.images);
    await window.pick('nano');
    await window.pick('Random weights');
    await this.question('A night');
    await this.picture('wizard-time');
    await window.pick('One hour');
    await this.saveConfiguration('chest');
    await this.change(fields);
    await this.picture('configuration');
  }

  /** A fine-tuning from the run, from the wizard's questions to its file. */
  async configureFinetuning(fields: Record<string, unknown>): Promise<void> {
    const { window, ground } = this;
    await window.runCommand('UniMiSS: New Configuration…');
    await window.pick('Fine-tune');
    await this.chooseGround();
    await this.question(this.run('chest'));
    await this.picture('wizard-weights');
    await window.pick(this.run('chest'));
    await window.pick('As long as it needs');
    await this.answerPath(ground.organs);
    await this.saveConfiguration('organs');
    await window.notification(/3D segmentation, 6 labelled cases/);
    await this.change(fields);
    await this.picture('configuration-finetuning');
    await window.runCommand('Notifications: Clear All Notifications');
  }

  /** Starts what is configured in the active editor, and waits until its panel shows steps. */
  async start(name: string): Promise<FrameLocator> {
    const { window, ground } = this;
    if (ground.host === undefined) await this.clickLens('▶ Start');
    else {
      await window.runCommand('UniMiSS: Start on Machine…');
      if (name === 'organs') await window.pick(this.run('chest'));
    }
    await this.question('Start');
    await this.picture(`last-look-${name}`);
    await window.pick('Start');
    await eventually(() => this.runs(name).length).toBe(1);
    const panel = await window.webview(this.run(name));
    await eventually(() => this.stepsOf(panel)).toBeGreaterThan(1);
    await this.picture(`training-${name}`);
    return panel;
  }

  async finished(name: string): Promise<void> {
    await this.window.visible(
      `the end of ${name}`,
      (await this.window.tree('Runs')).getByRole('treeitem', { name: new RegExp(`^${name}, .*finished`) }),
    );
    await this.picture(`finished-${name}`);
    await this.window.runCommand('View: Close All Editors');
  }

  /** Steps that a panel shows; -1 while it shows none. */
  async stepsOf(panel: FrameLocator): Promise<number> {
    const tiles = await panel.locator('.tiles').innerText();
    return Number(/([\d,]+) of [\d,]+ steps/.exec(tiles)?.[1]?.replaceAll(',', '') ?? -1);
  }

  /** Opens a case of the labelled data set, predicts it by the viewer's button, and sees the labels over it. */
  async predict(): Promise<void> {
    const { window, ground } = this;
    const image = join(ground.organs, 'imagesTr', 'case00_0000.nii.gz');
    if (ground.host === undefined) await window.openFile(image);
    else {
      await window.runCommand('UniMiSS: Open on Machine…');
      await this.answerPath(image);
    }
    const viewer = await window.webview('case00_0000.nii.gz');
    await window.visible('a plane', viewer.getByRole('slider', { name: 'Axial plane' }));
    await this.picture('image');
    await viewer.getByRole('button', { name: 'Predict…' }).click();
    if (ground.host === undefined) mkdirSync(ground.labels);
    await this.answerFolder(ground.labels);
    await window.notification(/1 image labelled/);
    const labels = viewer.getByRole('region', { name: 'labels/case00_0000.nii.gz' });
    await window.visible('the labels', labels);
    await eventually(() => viewer.getByText('prediction, not complete yet').count()).toBe(0);
    expect(readdirSync(ground.labels)).toContain('case00_0000.nii.gz');
    const organ = labels.getByRole('button', { name: /^Show the largest slice of/ }).first();
    await organ.click();
    await window.runCommand('Notifications: Clear All Notifications');
    await this.picture('prediction');
  }

  /** Evaluates the fine-tuned network, reads the report, and opens its worst case. */
  async evaluate(): Promise<void> {
    const { window } = this;
    await window.runCommand('UniMiSS: Focus on Runs View');
    await window.choose(await this.row('organs'), 'Evaluate…');
    await window.pick('Test cases');
    const report = await window.webview('Evaluation of organs');
    await report.getByRole('heading', { name: /^Evaluation of organs-/ }).waitFor();
    await report.getByText('Research only. Not for clinical use.').waitFor();
    await this.picture('report');
    const first = report.getByRole('button', { name: /^case\d\d$/ }).first();
    const name = await first.innerText();
    await first.click();
    const viewer = await window.webview(`${name}_0000.nii.gz`);
    const bar = viewer.getByRole('region', { name: 'Case of the evaluation' });
    await window.visible('its place among the cases', bar.getByText(new RegExp(`^${name}: mean Dice`)));
    await this.picture('worst-case');
  }

  /** The window in dark and light. */
  async picture(name: string): Promise<void> {
    const number = String(++this.pictures).padStart(2, '0');
    for (const theme of ['light', 'dark'] as Theme[]) {
      await this.window.setTheme(theme);
      await this.window.settle('.monaco-workbench > .monaco-grid-view');
      await this.window.screenshot(`walk-${this.name}-${number}-${name}-${theme}`);
    }
  }

  /** The editor loses the click on a lens that it is drawing again; a user clicks once more. */
  private async clickLens(text: string): Promise<void> {
    const { window } = this;
    const lens = await window.visible('the lens', window.page.locator('.codelens-decoration a', { hasText: text }));
    const answers = window.page.locator('.quick-input-widget:visible, .notifications-toasts .notification-list-item');
    await window.waitFor('what the lens does', () =>
      until(window.editor.timeout, async () => {
        await lens.click();
        return answers
          .first()
          .waitFor({ timeout: 15_000 })
          .then(() => true);
      }),
    );
  }

  private async question(label: string): Promise<void> {
    const { page } = this.window;
    const rows = page.locator('.quick-input-widget .monaco-list-row', { hasText: label });
    await this.window.visible(`the question with "${label}"`, rows);
  }

  private async chooseGround(): Promise<void> {
    const { host } = this.ground;
    if (host !== undefined) await this.window.pick(host);
  }

  /** Answers where something is: in the editor's dialog, or by its path on the machine. */
  private async answerPath(path: string): Promise<void> {
    const { window, ground } = this;
    if (ground.host === undefined) return window.answerFileDialog(path);
    // Paths that were named before are offered.
    const other = window.page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Another path…' });
    const prompt = window.page.locator('.quick-input-widget .quick-input-message', {
      hasText: `Path on ${ground.host}`,
    });
    await window.visible('the question for a path', other.or(prompt));
    if (await other.isVisible()) await window.pick('Another path…');
    await window.answerQuickInput(path);
  }

  private async answerFolder(path: string): Promise<void> {
    const { window, ground } = this;
    await (ground.host === undefined ? window.answerFileDialog(path) : window.answerQuickInput(path));
  }

  private async saveConfiguration(name: string): Promise<void> {
    const file = join(this.ground.configurations, `${name}.unimiss.jsonc`);
    await this.window.answerFileDialog(file);
    await this.window.visible('the new file', this.window.page.locator('.tab.active', { hasText: `${name}.unimiss` }));
  }

  /** Changes fields in the active editor, and saves it. */
  private async change(fields: Record<string, unknown>): Promise<void> {
    const before = await this.window.inHost((vscode) => vscode.window.activeTextEditor.document.getText());
    const text = Object.entries(fields).reduce((now, [field, value]) => setField(now, field.split('.'), value), before);
    await this.window.inHost(async (vscode, whole) => {
      const active = vscode.window.activeTextEditor;
      const { document } = active;
      const all = new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length));
      // biome-ignore lint/suspicious/noExplicitAny: the interface of the extension host
      await active.edit((edit: any) => edit.replace(all, whole));
      active.selection = new vscode.Selection(0, 0, 0, 0);
      active.revealRange(active.selection);
      await document.save();
    }, text);
  }

  private runs(name: string): string[] {
    return readdirSync(this.ground.runs).filter((folder) => folder.startsWith(`${name}-2`));
  }

  private run(name: string): string {
    const [run] = this.runs(name);
    if (run === undefined) throw new Error(`there is no run ${name}`);
    return run;
  }

  private async row(name: string): Promise<Locator> {
    return (await this.window.tree('Runs')).getByRole('treeitem', { name: new RegExp(`^${name},`) });
  }
}

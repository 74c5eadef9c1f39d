import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { writePhantoms } from '../../daemon/data/phantoms/write.ts';
import { Editor } from './kit/editor.ts';
import type { Window } from './kit/window.ts';
import { eventually, packVsix, pathWithoutNode } from './support.ts';

/** Minutes of training on two cores: more than the tests need, so that they stop it. */
export const configuration = `{
  // Phantoms, so that no real image is needed.
  "name": "phantoms",
  "data": { "manifest": "phantoms/manifest.csv" },
  "model": { "preset": "nano" },
  "train": { "epochs": 400, "interval": 2, "batch": { "2D": 4, "3D": 2 }, "stepsPerEpoch": 12 },
  "engine": { "executor": "graph" },
  "checkpoint": { "everyEpochs": 4 }
}
`;

/** An editor without a Node on its PATH, a folder with phantoms open in it, and what they say of the one run on them. */
export class PhantomRun {
  private constructor(readonly editor: Editor) {}

  /** @param text of the configuration file */
  static async open(
    env: (folder: string) => Record<string, string> = () => ({}),
    text = configuration,
  ): Promise<PhantomRun> {
    const editor = await Editor.open({
      vsix: packVsix(),
      workspace: { 'phantoms.unimiss.jsonc': text },
      env: (folder) => ({
        UNIMISS_RUNS: join(folder, 'runs'),
        PATH: pathWithoutNode(join(folder, 'bin')),
        ...env(folder),
      }),
    });
    await writePhantoms(join(editor.workspace, 'phantoms'), { seed: 1, volumes: 8, images: 16 });
    return new PhantomRun(editor);
  }

  get window(): Window {
    return this.editor.window;
  }

  /** The name of the run's folder, which is its panel's title too. */
  get name(): string {
    return readdirSync(this.editor.inside('runs')).find((name) => name.startsWith('phantoms-'))!;
  }

  get folder(): string {
    return this.editor.inside('runs', this.name);
  }

  get records(): string {
    return join(this.folder, 'records.jsonl');
  }

  panel(): Promise<FrameLocator> {
    return this.window.webview(this.name);
  }

  /** What the tree says of the run. */
  async told(): Promise<string> {
    return (await this.window.treeItems('Runs')).find(({ label }) => label === 'phantoms')?.description ?? '';
  }

  async toldWhen(pattern: RegExp): Promise<void> {
    await eventually(() => this.told()).toMatch(pattern);
  }

  /** The process that trains the run. */
  trainer(): number {
    return JSON.parse(readFileSync(join(this.folder, 'lock'), 'utf8')).pid;
  }

  /** Steps done, as the panel says; -1 where it does not yet. */
  async stepsShown(panel: FrameLocator): Promise<number> {
    const tiles = await panel.locator('.tiles').innerText();
    return Number(/([\d,]+) of [\d,]+ steps/.exec(tiles)?.[1]?.replaceAll(',', '') ?? -1);
  }

  async stepsPass(panel: FrameLocator, step: number): Promise<void> {
    await eventually(() => this.stepsShown(panel)).toBeGreaterThan(step);
  }

  /** An action on the run, by its button in the tree. */
  async press(action: string): Promise<void> {
    const row = (await this.window.tree('Runs')).getByRole('treeitem', { name: /^phantoms/ });
    await row.hover();
    await row.getByRole('button', { name: action }).click();
  }

  async close(): Promise<void> {
    await this.editor.close();
  }
}

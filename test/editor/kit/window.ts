import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import type { Editor } from './editor.ts';
import { isForeign, type Restless } from './hostErrors.ts';
import { QuickInput } from './quickInput.ts';
import { noise, startTimeout, type Theme, themes } from './surroundings.ts';
import { alive, until } from './until.ts';

export interface Problem {
  /** Absolute path. */
  file: string;
  /** From 1. */
  line: number;
  severity: 'Error' | 'Warning' | 'Information' | 'Hint';
  message: string;
  source: string | undefined;
}

export interface TreeItem {
  label: string;
  description: string;
  /** From 1. */
  level: number;
}

/**
 * One browser page with a workbench in it. A helper that waits in vain says what for and where its screenshot is; helpers
 * wait for their event, at most `editor.timeout` ms.
 */
export class Window {
  page!: Page;
  quickInput!: QuickInput;
  /** Process id of the window's extension host. */
  hostPid = 0;
  /** Set while the page is losing its connection on purpose: what it then says is of no interest. */
  ending = false;

  constructor(
    readonly editor: Editor,
    private readonly workspace: string | undefined,
  ) {}

  /** Opens the page, or opens it again, and waits for the workbench and its extension host. */
  async open(): Promise<void> {
    const restless = this.becomeRestless();
    this.ending = false;
    this.page = await this.editor.context.newPage();
    this.quickInput = new QuickInput(this.page, this.editor.timeout, () => this.settle('.quick-input-widget'));
    const report = (text: string) => {
      if (!this.ending && !noise.test(text) && !isForeign(text)) this.editor.consoleErrors.push(text);
    };
    this.page.on('crash', () => report('the page crashed'));
    this.page.on('pageerror', (error) => report(String(error.stack ?? error)));
    this.page.on('console', (message) => {
      if (message.type() === 'error') report(`${message.text()} ${message.location().url}`);
    });
    const query = this.workspace ? `folder=${encodeURIComponent(this.workspace)}` : 'ew=true';
    await this.page.goto(`http://127.0.0.1:${this.editor.port}/?${query}`, { timeout: startTimeout });
    await this.ready();
    restless.to = Date.now();
  }

  /** From now on, until `to` is set, the window comes or goes. */
  private becomeRestless(): Restless {
    const restless = { from: Date.now() };
    this.editor.restless.push(restless);
    return restless;
  }

  private async ready(): Promise<void> {
    await this.waitFor('the workbench', () =>
      this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: startTimeout }),
    );
    // One that has not been seen before.
    this.hostPid = await this.waitFor('the extension host', () =>
      until(startTimeout, async () => this.editor.newHost()),
    );
  }

  /** Reload Window: same server, new extension host. */
  async reload(): Promise<void> {
    const restless = this.becomeRestless();
    const before = this.hostPid;
    this.ending = true;
    const loaded = this.page.waitForEvent('load', { timeout: startTimeout });
    await this.inHost((vscode) => {
      setTimeout(() => vscode.commands.executeCommand('workbench.action.reloadWindow'), 20);
    });
    await loaded;
    this.ending = false;
    await this.ready();
    await this.hostEnds(before);
    restless.to = Date.now();
  }

  private async hostEnds(pid: number): Promise<void> {
    await until(startTimeout, async () => !alive(pid)).catch(() => {
      throw new Error(`the extension host ${pid} goes on although its window is closed`);
    });
  }

  /** Closes the window as a user would (extensions are deactivated); the server goes on. `open()` opens it again. */
  async closeWindow(): Promise<void> {
    const restless = this.becomeRestless();
    this.ending = true;
    const closed = this.page.waitForEvent('close', { timeout: startTimeout });
    await this.page.close({ runBeforeUnload: true });
    await closed;
    await this.hostEnds(this.hostPid);
    restless.to = Date.now();
  }

  /** Runs a command through the palette; `title` with or without its category. */
  async runCommand(title: string): Promise<void> {
    await this.waitFor(`the command "${title}" in the palette`, () => this.quickInput.choose(`>${title}`, title, true));
  }

  /** Opens a file by its absolute path, with the editor that its name is associated with. */
  async openFile(file: string): Promise<void> {
    await this.inHost((vscode, path) => vscode.commands.executeCommand('vscode.open', vscode.Uri.file(path)), file);
    await this.visible(`${file} to open`, this.page.locator('.tab.active', { hasText: file.split('/').at(-1)! }));
  }

  /** Fills in an input box (or accepts what it proposes), and waits for what comes next. */
  async answerQuickInput(text?: string): Promise<void> {
    await this.waitFor(`a quick input to answer with "${text ?? 'what it proposes'}"`, () =>
      this.quickInput.answer(text),
    );
  }

  /** Picks an entry of the quick pick that is open, or opens. */
  async pick(label: string): Promise<void> {
    await this.waitFor(`"${label}" in a quick pick`, () => this.quickInput.pick(label));
  }

  /** Ticks everything in a quick pick of several, and accepts it. */
  async tickAll(): Promise<void> {
    await this.waitFor('a quick pick to tick', () => this.quickInput.tickAll());
  }

  /** Chooses an absolute path in an open or save dialog. */
  async answerFileDialog(file: string): Promise<void> {
    const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory();
    await this.waitFor(`a file dialog to answer with ${file}`, () =>
      this.quickInput.answerFileDialog(isFolder && !file.endsWith('/') ? `${file}/` : file),
    );
  }

  /** Presses a button of a modal dialog; returns the dialog's text. */
  async answerDialog(button: string): Promise<string> {
    return this.waitFor(`a dialog with the button "${button}"`, async () => {
      const { timeout } = this.editor;
      const dialog = this.page.locator('.monaco-dialog-box');
      await dialog.waitFor({ timeout });
      const text = await dialog.locator('.dialog-message-container').innerText();
      await dialog.getByRole('button', { name: button, exact: true }).click({ timeout });
      await dialog.waitFor({ state: 'hidden', timeout });
      return text;
    });
  }

  /** The content of a webview that is in sight, by the title of its tab or view; without a title the first one. */
  async webview(title?: string): Promise<FrameLocator> {
    return this.waitFor(`the webview "${title ?? ''}"`, () =>
      until(this.editor.timeout, async () => {
        const name = await this.webviewName(title);
        if (!name) return undefined;
        const frame = this.page.locator(`iframe.webview[name="${name}"]`).contentFrame();
        const content = frame.locator('iframe#active-frame');
        return (await content.count()) ? content.contentFrame() : undefined;
      }),
    );
  }

  /** Webviews float above the workbench, so only their place tells whose they are. */
  private async webviewName(title: string | undefined): Promise<string | null | undefined> {
    return this.page.evaluate((wanted) => {
      const places = [...document.querySelectorAll('.editor-group-container, .pane')].filter((place) => {
        const tab = place.querySelector('.tab.active')?.getAttribute('aria-label'); // the name, then its state
        if (tab) return tab === wanted || tab.startsWith(`${wanted}, `);
        return place.querySelector('h3.title')?.textContent === wanted;
      });
      const frame = [...document.querySelectorAll('iframe.webview.ready')].find((one) => {
        const { x, y, width, height } = one.getBoundingClientRect();
        if (!width || getComputedStyle(one).visibility === 'hidden') return false;
        return (
          wanted === undefined ||
          places.some((place) => {
            const { left, right, top, bottom } = place.getBoundingClientRect();
            return left <= x + width / 2 && x + width / 2 <= right && top <= y + height / 2 && y + height / 2 <= bottom;
          })
        );
      });
      return frame?.getAttribute('name');
    }, title);
  }

  /** A notification in sight. */
  async notification(text: string | RegExp): Promise<Locator> {
    const all = this.page.locator('.notifications-toasts .notification-list-item', { hasText: text });
    return this.visible(`the notification ${text}`, all);
  }

  /** An entry of the status bar. */
  async statusBar(text: string | RegExp): Promise<Locator> {
    return this.visible(`the status bar entry ${text}`, this.page.locator('.statusbar-item', { hasText: text }));
  }

  /** A tree view that is in sight; its entries are `getByRole('treeitem', { name })`. */
  async tree(title: string): Promise<Locator> {
    return this.visible(`the tree "${title}"`, this.page.getByRole('tree', { name: title, exact: true }));
  }

  /** Folds a view of the side bar, which leaves its height to the others, or unfolds it. */
  async fold(title: string, folded: boolean): Promise<void> {
    const header = this.page.locator('.pane-header', { has: this.page.locator('h3.title', { hasText: title }) });
    if ((await header.getAttribute('aria-expanded')) === String(folded)) await header.click();
    await this.visible(
      `${title} to be ${folded ? '' : 'un'}folded`,
      header.and(this.page.locator(`[aria-expanded="${!folded}"]`)),
    );
  }

  /** The entries of a tree view, as far as they are in sight. */
  async treeItems(title: string): Promise<TreeItem[]> {
    return (await this.tree(title)).getByRole('treeitem').evaluateAll((elements) =>
      elements.map((row) => ({
        label: row.querySelector('.monaco-icon-name-container')?.textContent ?? '',
        description: row.querySelector('.label-description')?.textContent ?? '',
        level: Number(row.getAttribute('aria-level')),
      })),
    );
  }

  /** A file or folder in the explorer, which is shown. */
  async explorerItem(name: string): Promise<Locator> {
    const explorer = this.page.locator('.explorer-folders-view');
    if (!(await explorer.isVisible())) await this.runCommand('View: Show Explorer');
    return this.visible(`${name} in the explorer`, explorer.getByRole('treeitem', { name, exact: true }));
  }

  /** An entry of the context menu of `row`. */
  async choose(row: Locator, label: string): Promise<void> {
    const { timeout } = this.editor;
    await this.leaveHovers();
    await this.waitFor(`"${label}" in a context menu`, async () => {
      const entry = this.page.locator('.monaco-menu .action-menu-item', { hasText: label });
      let clicked = false;
      await until(timeout, async () => {
        if (await entry.isHidden()) {
          if (clicked) return true;
          // Not opened yet, or closed by itself: on a busy machine what moves the focus may come after the menu.
          await row.click({ button: 'right', timeout });
          await entry.waitFor({ timeout: timeout / 4 });
        }
        // Menus ignore the mouse in their first moments, so that the click that opened them chooses nothing.
        clicked = (await entry.click({ timeout: 1000 }).then(() => true, wasSent)) || clicked;
        return clicked && entry.isHidden();
      });
    });
  }

  /** All diagnostics, of closed files too. */
  async problems(): Promise<Problem[]> {
    return this.inHost((vscode) =>
      // biome-ignore lint/suspicious/noExplicitAny: the interface of the extension host
      vscode.languages.getDiagnostics().flatMap(([uri, list]: any) =>
        // biome-ignore lint/suspicious/noExplicitAny: the interface of the extension host
        list.map((one: any) => ({
          file: uri.fsPath,
          line: one.range.start.line + 1,
          severity: vscode.DiagnosticSeverity[one.severity],
          message: one.message,
          source: one.source,
        })),
      ),
    );
  }

  /**
   * Runs a function in the extension host, with the extension interface as its first argument: for set-up and checks that
   * have no user interface. It sees nothing of its surroundings; arguments and result travel as JSON.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the function's own affair
  async inHost<T>(run: (vscode: any, ...args: any[]) => T, ...args: unknown[]): Promise<Awaited<T>> {
    const socket = connect({ path: this.editor.probe(this.hostPid), allowHalfOpen: true }).setEncoding('utf8');
    socket.end(JSON.stringify({ source: String(run), args }));
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    const { value, error } = JSON.parse(answer);
    if (error) throw new Error(`in the extension host: ${error}`);
    return value;
  }

  /** The folder of the window that `action` opens, which is closed again before anything of it is loaded. */
  async folderOpenedBy(action: () => Promise<void>): Promise<string> {
    const { context, timeout } = this.editor;
    const another = (url: URL) => url.searchParams.has('folder');
    await context.route(another, (route) => route.fulfill({ contentType: 'text/html', body: '' }));
    return this.waitFor('another window', async () => {
      const [page] = await Promise.all([context.waitForEvent('page', { timeout }), action()]);
      await page.waitForURL(another, { timeout });
      const folder = new URL(page.url()).searchParams.get('folder')!;
      await page.close();
      await context.unroute(another);
      return folder;
    });
  }

  /** Changes the colour theme, and waits until it is drawn. */
  async setTheme(theme: Theme): Promise<void> {
    const update = (name: string) =>
      this.inHost(
        (vscode, value) => vscode.workspace.getConfiguration('workbench').update('colorTheme', value, true),
        name,
      );
    await update(themes[theme]);
    const kinds = { dark: 'vs-dark', light: 'vs', 'hc-dark': 'hc-black', 'hc-light': 'hc-light' };
    await this.visible(`the theme ${theme}`, this.page.locator(`.monaco-workbench.${kinds[theme]}`));
  }

  /** Waits until no progress is shown and nothing has changed for 250 ms. Webviews' content is not watched. */
  async settle(selector = 'body'): Promise<void> {
    await this.waitFor(`${selector} to settle`, () =>
      this.page.waitForFunction(
        (part) =>
          new Promise((resolve) => {
            const root = document.querySelector(part)!;
            const done = () => {
              observer.disconnect();
              resolve(!root.querySelector('.monaco-progress-container.active'));
            };
            let timer = setTimeout(done, 250);
            const observer = new MutationObserver(() => {
              clearTimeout(timer);
              timer = setTimeout(done, 250);
            });
            observer.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
          }),
        selector,
        { timeout: this.editor.timeout },
      ),
    );
  }

  /** Takes a picture of the window into the editor's folder of artefacts; returns its path. */
  async screenshot(name: string): Promise<string> {
    const path = join(this.editor.artifacts, `${name.replace(/[^\w.-]+/g, '-').slice(0, 80)}.png`);
    await this.page.screenshot({ path, animations: 'disabled' });
    return path;
  }

  /**
   * Pictures in light and dark, `NAME-light` and `NAME-dark`. The window is dark afterwards, as at first.
   * @param show brings what another theme takes away: hovers, menus
   */
  async pictures(name: string, show?: () => Promise<unknown>): Promise<void> {
    await this.leaveHovers();
    for (const theme of ['light', 'dark'] as const) {
      await this.setTheme(theme);
      await show?.();
      await this.settle();
      await this.screenshot(`${name}-${theme}`);
    }
  }

  /** The hover of a row may lie over the next one. */
  private leaveHovers(): Promise<void> {
    return this.page.mouse.move(300, 17);
  }

  /** Runs a command until what it shows is in sight: on a busy machine, what moves the focus may come later and close it. */
  async shownBy(command: string, what: string, locator: Locator): Promise<Locator> {
    const { timeout } = this.editor;
    await this.waitFor(what, () =>
      until(timeout, async () => {
        await this.runCommand(command);
        await locator.first().waitFor({ timeout: timeout / 8 });
        return true;
      }),
    );
    return locator.first();
  }

  /** Does what `action` does; if that fails, says what was awaited and where a screenshot is. */
  async waitFor<T>(what: string, action: () => Promise<T>): Promise<T> {
    const started = Date.now();
    try {
      return await action();
    } catch (cause) {
      const picture = await this.screenshot(`failed-${what}`).catch((error) => `none (${error.message})`);
      const reason = String(cause).split('\n')[0];
      throw new Error(
        `waited ${Date.now() - started} ms in vain for ${what}\n  screenshot: ${picture}\n  cause: ${reason}`,
        { cause },
      );
    }
  }

  /** The locator's first match, once that is visible. */
  async visible(what: string, locator: Locator): Promise<Locator> {
    await this.waitFor(what, () => locator.first().waitFor({ timeout: this.editor.timeout }));
    return locator.first();
  }
}

/** Whether a click that failed had been sent to the page already: its effect may still come. */
function wasSent(error: Error): boolean {
  return error.message.includes('performing click action');
}

import type { Locator, Page } from 'playwright-core';
import { until } from './until.ts';

/** Quick pick, input box, command palette and file dialog are all this one widget. */
export class QuickInput {
  constructor(
    private readonly page: Page,
    private readonly timeout: number,
    private readonly settle: () => Promise<void>,
  ) {}

  get widget(): Locator {
    return this.page.locator('.quick-input-widget');
  }

  private get input(): Locator {
    return this.widget.locator('input.input');
  }

  /**
   * Opens the palette with a text and chooses an entry. Tries again if the entry is not there yet, or if the palette
   * closes because something else takes the focus; never once the entry has been clicked.
   */
  async choose(text: string, label: string, anyCategory = false): Promise<void> {
    await this.submit(() =>
      until(this.timeout, async () => {
        // To the document, not to what has the focus: a webview that is still loading would lose the key.
        await this.page.evaluate(() =>
          document.body.dispatchEvent(
            new KeyboardEvent('keydown', { key: 'F1', code: 'F1', keyCode: 112, bubbles: true }),
          ),
        );
        await this.input.fill(text, { timeout: 1000 });
        return until(1000, () => this.click(label, anyCategory)).catch(async (error) => {
          await this.page.keyboard.press('Escape');
          throw error;
        });
      }),
    );
  }

  /** Picks an entry of the quick pick that is open, or opens. */
  async pick(label: string): Promise<void> {
    await this.submit(() => until(this.timeout, () => this.click(label)));
  }

  /** Ticks everything in a quick pick of several, and accepts it. */
  async tickAll(): Promise<void> {
    await this.widget.locator('.monaco-list-row').first().waitFor({ timeout: this.timeout });
    await this.widget.getByRole('checkbox', { name: 'Toggle all checkboxes' }).click({ timeout: this.timeout });
    await this.answer();
  }

  /** Fills in an input box and accepts it; without a text, accepts what is there. */
  async answer(text?: string): Promise<void> {
    await this.input.waitFor({ timeout: this.timeout });
    if (text !== undefined) await this.input.fill(text, { timeout: this.timeout });
    await this.submit(async () => {
      const before = (await this.look()).state;
      await this.input.press('Enter');
      return before;
    });
  }

  /** Chooses `text` (an absolute path; of a folder with a slash at its end) in an open or save dialog. */
  async answerFileDialog(text: string): Promise<void> {
    await this.widget.locator('.monaco-list-row').first().waitFor({ timeout: this.timeout });
    // While the dialog lists a folder it may write that folder's path over what was filled in.
    await until(this.timeout, async () => {
      await this.settle();
      if ((await this.input.inputValue()) === text) return true;
      await this.input.fill(text);
      return false;
    });
    const button = this.widget.locator('.quick-input-action .monaco-button').filter({ visible: true });
    await button.first().click({ timeout: this.timeout });
    await until(this.timeout, async () => (await this.input.isHidden()) || (await this.input.inputValue()) !== text);
  }

  /** Clicks an entry. Returns the state just before. */
  private async click(label: string, anyCategory = false): Promise<string> {
    const { state, clicked, labels } = await this.look(label, anyCategory ? `: ${label}` : '');
    if (!clicked) throw new Error(`listed is ${labels.slice(0, 5).join(', ') || 'nothing'}`);
    return state;
  }

  /**
   * What identifies the present question ('' if it is closed), and a click on an entry, found by its label or its end: all in
   * one step, so that nothing can change between.
   */
  private async look(wanted = '', end = ''): Promise<{ state: string; clicked: boolean; labels: string[] }> {
    return this.widget.evaluate(
      (widget, [label, suffix]) => {
        if ((widget as HTMLElement).offsetParent === null) return { state: '', clicked: false, labels: [] };
        const parts = widget.querySelectorAll(
          '.quick-input-title, .quick-input-message, input.input, .monaco-list-row',
        );
        const state = [...parts]
          .map((part) => (part instanceof HTMLInputElement ? `${part.placeholder}: ${part.value}` : part.textContent))
          .join('\n');
        const rows = [...widget.querySelectorAll('.monaco-list-row')];
        const text = (one: Element) => one.querySelector('.monaco-icon-name-container')?.textContent?.trim() ?? '';
        const row = rows.find((one) => (label && text(one) === label) || (suffix && text(one).endsWith(suffix)));
        for (const type of ['mousedown', 'mouseup', 'click'])
          row?.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, view: window, detail: 1 }));
        return { state, clicked: row !== undefined, labels: rows.map(text) };
      },
      [wanted, end] as const,
    );
  }

  /** Accepts, and waits until the widget closes, shows something else or rejects the answer. `accept` tells the state before. */
  private async submit(accept: () => Promise<string>): Promise<void> {
    const before = await accept();
    await until(this.timeout, async () => (await this.look()).state !== before);
  }
}

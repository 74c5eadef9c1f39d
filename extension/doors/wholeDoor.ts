import { Disposable, type ExtensionContext, l10n } from 'vscode';
import { notify } from '../notify.ts';
import type { Whole } from '../whole.ts';
import { commandDoors } from './commandDoors.ts';

/** What is behind all doors: opened by the first use. A use that fails leaves the doors as they were, and the next one tries again. */
export class WholeDoor implements Disposable {
  private whole: Whole | undefined;
  private commands: Disposable;

  /**
   * @param open opens it, with subscriptions of its own
   * @param opened follows; the editor may have asked before, in vain
   */
  constructor(
    private readonly extension: ExtensionContext,
    private readonly open: (extension: ExtensionContext) => Whole,
    private readonly opened: () => void,
  ) {
    this.commands = this.commandsUntilThen();
  }

  /** Throws why it cannot be opened, which the user is told. */
  use(): Whole {
    if (this.whole) return this.whole;
    try {
      this.whole = this.tryToOpen();
    } catch (error) {
      void this.tell(error);
      throw error;
    }
    this.opened();
    return this.whole;
  }

  async close(): Promise<void> {
    await this.whole?.close();
  }

  dispose(): void {
    this.commands.dispose();
  }

  private tryToOpen(): Whole {
    const own: Disposable[] = [];
    const end = new Disposable(() => {
      for (const one of own.splice(0).reverse()) one.dispose();
    });
    // Not a copy: the editor's context refuses to be asked for some of what it has.
    const extension: ExtensionContext = Object.create(this.extension, { subscriptions: { value: own } });
    this.commands.dispose(); // the whole has commands of the same names
    try {
      const whole = this.open(extension);
      this.extension.subscriptions.push(end);
      return whole;
    } catch (error) {
      try {
        end.dispose();
      } finally {
        this.commands = this.commandsUntilThen();
      }
      throw error;
    }
  }

  private commandsUntilThen(): Disposable {
    return commandDoors(this.extension.extension, () => this.works());
  }

  /** Opens it if it is not open, and returns whether it is; if not, the user has been told why. */
  works(): boolean {
    try {
      this.use();
      return true;
    } catch {
      return false;
    }
  }

  private async tell(error: unknown): Promise<void> {
    console.error(error); // into the log of the extension host: without the whole there is no other
    const again = l10n.t('Try Again');
    const why = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').replace(/[. ]*$/, '.');
    const text = l10n.t(
      'UniMiSS could not start in this window: {0} Try again. If it fails again, reload the window.',
      why,
    );
    if ((await notify('error', text, again)) === again) this.works();
  }
}

import { commands, type Disposable } from 'vscode';
import type { Context } from '../context.ts';
import { showError } from '../showError.ts';

/** Commands by their ids. What one throws is shown, and is not an error of the caller. */
export function registerCommands(
  ctx: Context,
  // biome-ignore lint/suspicious/noExplicitAny: what the editor hands over is checked by each command
  handlers: Record<string, (...args: any[]) => Promise<void>>,
): Disposable[] {
  return Object.entries(handlers).map(([id, handler]) =>
    commands.registerCommand(id, async (...args) => {
      try {
        await handler(...args);
      } catch (error) {
        void showError(error, ctx.output);
      }
    }),
  );
}

import { commands, type Disposable } from 'vscode';
import type { Context } from '../context.ts';
import { showError } from '../showError.ts';

/** Registers commands by their ids. Shows what a command throws, and does not pass it to the caller. */
export function registerCommands(
  ctx: Context,
  // biome-ignore lint/suspicious/noExplicitAny: each command checks its arguments
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

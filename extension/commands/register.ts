import { commands, l10n, workspace } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import type { Context } from '../context.ts';
import { withRemedies } from '../remedies.ts';
import { showError } from '../showError.ts';

/**
 * Registers commands by their ids until the extension's subscriptions end, also if it throws: one may be there already. Shows what a
 * command throws, and does not pass it to the caller.
 */
export function registerCommands(
  ctx: Context,
  // biome-ignore lint/suspicious/noExplicitAny: each command checks its arguments
  handlers: readonly Record<string, (...args: any[]) => Promise<void>>[],
): void {
  const { extension, subscriptions } = ctx.extension;
  const forTrusted = needTrust(extension.packageJSON);
  for (const [id, handler] of handlers.flatMap((some) => Object.entries(some))) {
    const command = commands.registerCommand(id, async (...args) => {
      try {
        if (forTrusted.has(id) && !workspace.isTrusted) throw untrusted();
        await handler(...args);
      } catch (error) {
        void showError(error, ctx.output);
      }
    });
    subscriptions.push(command);
  }
}

/**
 * Commands that package.json enables in trusted workspaces only. The editor dims them in its menus; links, key bindings and other
 * extensions can run them all the same.
 */
function needTrust(manifest: {
  readonly contributes: { readonly commands: readonly { readonly command: string; readonly enablement?: string }[] };
}): ReadonlySet<string> {
  const { commands } = manifest.contributes;
  return new Set(
    commands.filter((one) => one.enablement?.includes('isWorkspaceTrusted')).map(({ command }) => command),
  );
}

function untrusted(): unknown {
  return withRemedies(new UnimissError('config', l10n.t('This command works only in a trusted workspace')), [
    { title: l10n.t('Manage Trust'), run: () => commands.executeCommand('workbench.trust.manage') },
  ]);
}

import { l10n, QuickPickItemKind, window } from 'vscode';
import { filesOpen } from '../../protocol/daemon/messages.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { ContextAt } from '../context.ts';
import { homeThere } from './there.ts';

/** A file or folder on a machine. */
export interface PlaceThere {
  readonly path: string;
  readonly kind: 'file' | 'folder';
}

/**
 * Asks for a file or folder of another machine: one that was named before, or a path. The editor's dialogs know this machine only. What
 * was named may be read there from now on, and is offered again.
 */
export async function askPath(
  ctx: ContextAt,
  { title, placeHolder }: { readonly title: string; readonly placeHolder: string },
): Promise<PlaceThere | undefined> {
  const host = ctx.daemon.machine ?? '';
  const known = ctx.machines.places.of(host);
  const other = { label: l10n.t('Another path…'), kind: QuickPickItemKind.Default };
  if (known.length > 0) {
    const items = [...known.map((label) => ({ label, kind: QuickPickItemKind.Default })), other];
    const picked = await window.showQuickPick(items, { title, placeHolder });
    if (!picked) return undefined;
    if (picked !== other) return openThere(ctx, picked.label);
  }
  for (let value = `${homeThere(ctx)}/`, problem = ''; ; ) {
    const typed = await window.showInputBox({
      title,
      prompt:
        problem ||
        l10n.t('Path on {0}. UniMiSS does not copy images by itself: use "UniMiSS: Copy Data to Machine".', host),
      placeHolder,
      value,
      valueSelection: [value.length, value.length],
      ignoreFocusOut: true,
    });
    if (!typed?.trim()) return undefined;
    value = typed.trim();
    try {
      return await openThere(ctx, value);
    } catch (error) {
      if (!(error instanceof UnimissError) || error.code !== 'data') throw error;
      problem = l10n.t('{0}: try another path.', error.what).replace(/^./, (first) => first.toUpperCase());
    }
  }
}

/** Asks for a new folder on a machine. */
export async function askNewFolder(
  ctx: ContextAt,
  { title, usual }: { readonly title: string; readonly usual: string },
): Promise<string | undefined> {
  const typed = await window.showInputBox({
    title,
    prompt: l10n.t('Folder on {0}', ctx.daemon.machine ?? ''),
    value: usual,
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim().startsWith('/') ? undefined : l10n.t('Enter an absolute path.')),
  });
  return typed?.trim() || undefined;
}

/** Lets the editor read a file or folder of a machine, now and in later sessions. @throws UnimissError 'data' if it is not there */
export async function openThere({ daemon, machines }: ContextAt, path: string): Promise<PlaceThere> {
  const found = await daemon.request(filesOpen, { path });
  if (daemon.machine !== undefined) machines.places.add(daemon.machine, found.path);
  return found;
}

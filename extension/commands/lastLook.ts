import { basename } from 'node:path';
import { l10n, type QuickPickItem, QuickPickItemKind, type TextDocument, window } from 'vscode';
import { runForecast } from '../../protocol/daemon/messages.ts';
import { forEditor } from '../../protocol/editorWords.ts';
import type { Concern, Forecast } from '../../protocol/runs/forecast.ts';
import { costLine, workLine } from '../../protocol/runs/forecastText.ts';
import { showField } from '../configuration/showField.ts';
import type { ContextAt } from '../context.ts';
import { byMachine, fileThere } from '../machines/there.ts';
import { withProgress } from '../withProgress.ts';

/** A way to go on from the last look. */
export interface Way<H extends string> {
  readonly label: string;
  readonly detail?: string;
  readonly how: H;
}

/**
 * The last step before a run starts: says what it will do on its machine and what looks wrong. The entries of concerns open the
 * configuration at their field. If a concern refuses the run, only editing is offered.
 * @param ways to start; the way 'edit' is always there
 * @param text the configuration, if it differs from the document's
 * @returns the way that was picked; undefined if none was, or a concern was
 */
export async function lastLook<H extends string>(
  ctx: ContextAt,
  document: TextDocument,
  { ways, text = document.getText() }: { readonly ways: readonly Way<H>[]; readonly text?: string },
): Promise<H | 'edit' | undefined> {
  const from = { config: text, file: fileThere(ctx, document.uri) };
  const forecast = await withProgress(
    ctx.daemon,
    byMachine(ctx.daemon.machine, l10n.t('UniMiSS: looking at the images'), (machine) =>
      l10n.t('UniMiSS: looking at the images on {0}', machine),
    ),
    (workDoneToken, cancelled) => ctx.daemon.request(runForecast, { from, workDoneToken }, cancelled),
  );
  const refused = forecast.concerns.some(refuses);
  const edit = {
    label: l10n.t('Edit Configuration'),
    detail: l10n.t('Start it later with the same command'),
    how: 'edit' as const,
  };
  const items: (QuickPickItem & { how?: H | 'edit'; concern?: Concern })[] = [
    // The first one is how a run usually starts. It has room for what would be cut in the line above.
    ...(refused ? [] : ways.map((way, i) => (i === 0 ? { detail: costLine(forecast), ...way } : way))),
    edit,
    ...(forecast.concerns.length > 0 ? [separator(l10n.t('Looks wrong'))] : []),
    ...forecast.concerns.map(concernItem),
    ...(forecast.unreadable.count > 0 ? [separator(l10n.t('Unreadable images'))] : []),
    ...forecast.unreadable.first.map(({ name, reason }) => ({ label: l10n.t('$(file) {0}', name), detail: reason })),
  ];
  const picked = await window.showQuickPick(items, {
    title: titleOf(forecast.name, basename(document.fileName), { refused, machine: ctx.daemon.machine }),
    placeHolder: placeHolder(forecast),
    matchOnDetail: true,
    ignoreFocusOut: true,
  });
  if (picked?.concern) await showField(document, picked.concern.field);
  return picked?.how;
}

/** Without TensorFlow a start offers to install it. */
function refuses({ severity, code }: Concern): boolean {
  return severity === 'error' && code !== 'engine';
}

function placeHolder(forecast: Forecast): string {
  return forecast.steps > 0 ? workLine(forecast) : (forecast.concerns[0]?.message ?? '');
}

function separator(label: string): QuickPickItem {
  return { label, kind: QuickPickItemKind.Separator };
}

function concernItem(concern: Concern): QuickPickItem & { concern: Concern } {
  const { severity, code, field, message } = concern;
  // The shell's remedy is a command of the shell.
  const remedy =
    code === 'engine' && field === 'engine.device'
      ? l10n.t('Start offers to install it.')
      : concern.remedy && forEditor(concern.remedy);
  return {
    label: `$(${severity}) ${field}`,
    description: forEditor(message),
    ...(remedy !== undefined && { detail: remedy.replace(/\s+/g, ' ') }),
    concern,
  };
}

function titleOf(
  run: string,
  file: string,
  { refused, machine }: { readonly refused: boolean; readonly machine: string | undefined },
): string {
  if (refused)
    return byMachine(machine, l10n.t('Cannot Start {0}: {1}', run, file), (host) =>
      l10n.t('Cannot Start {0} on {1}: {2}', run, host, file),
    );
  return byMachine(machine, l10n.t('Start {0}: {1}', run, file), (host) =>
    l10n.t('Start {0} on {1}: {2}', run, host, file),
  );
}

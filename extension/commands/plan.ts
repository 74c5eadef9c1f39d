import { basename } from 'node:path';
import { l10n, Uri, window } from 'vscode';
import { dataPlan, type PlanFinding } from '../../protocol/config/planMessages.ts';
import { parseAddress } from '../../protocol/machines/address.ts';
import type { Context, ContextAt } from '../context.ts';
import { askPath } from '../machines/askPath.ts';
import { machineScheme } from '../machines/machineScheme.ts';
import { addressOfUri } from '../machines/machineUri.ts';
import { byMachine, onMachine } from '../machines/there.ts';
import { notify } from '../notify.ts';
import { withProgress } from '../withProgress.ts';
import { newConfig } from './newConfig.ts';

/** `unimiss.planData`: checks a labelled data set and makes a configuration for fine-tuning on it, as `unimiss plan`. */
export function planCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.planData'(given) {
      const folder = given instanceof Uri ? given : undefined;
      await planFolder(folder?.scheme === machineScheme ? onMachine(ctx, folder.authority) : ctx, folder);
    },
  };
}

/**
 * @param change makes the text of the configuration from the planned one
 * @returns the new configuration, which is open then; undefined if the user cancelled
 */
export async function planFolder(
  ctx: ContextAt,
  given: Uri | undefined,
  change = (text: string) => text,
): Promise<Uri | undefined> {
  const path = given ? parseAddress(addressOfUri(given)).path : await pickDataset(ctx);
  if (path === undefined) return undefined;
  const name = basename(path).replace(/\.(csv|tsv)$/i, '');
  const { text, about, tight, findings } = await withProgress(
    ctx.daemon,
    byMachine(ctx.daemon.machine, l10n.t('UniMiSS: checking {0}', name), (machine) =>
      l10n.t('UniMiSS: checking {0} on {1}', name, machine),
    ),
    (workDoneToken, cancelled) => ctx.daemon.request(dataPlan, { path, workDoneToken }, cancelled),
  );
  const file = await newConfig(name, change(text));
  if (file) void tell(ctx, name, { about, tight, findings });
  return file;
}

async function pickDataset(ctx: ContextAt): Promise<string | undefined> {
  const { machine } = ctx.daemon;
  if (machine !== undefined)
    return (
      await askPath(ctx, {
        title: l10n.t('Data Set on {0}', machine),
        placeHolder: l10n.t('Folder of a labelled data set'),
      })
    )?.path;
  const picked = await window.showOpenDialog({
    title: l10n.t('Folder of a labelled data set'),
    openLabel: l10n.t('Plan This Data Set'),
    canSelectFiles: false,
    canSelectFolders: true,
  });
  return picked?.[0]?.fsPath;
}

interface Told {
  about: string;
  tight: boolean;
  findings: readonly PlanFinding[];
}

/** One sentence about the data; everything that is wrong with them on request, each with its file and remedy. */
async function tell(ctx: Pick<ContextAt, 'reports'>, name: string, told: Told): Promise<void> {
  const { about, tight, findings } = told;
  const memory = tight ? [l10n.t('This machine has little memory for this task.')] : [];
  if (findings.length === 0) {
    void notify('info', [l10n.t('{0}. No problems found.', about), ...memory].join(' '));
    return;
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  const counts = [
    ...(errors === 0 ? [] : [errors === 1 ? l10n.t('1 error') : l10n.t('{0} errors', errors)]),
    ...(warnings === 0 ? [] : [warnings === 1 ? l10n.t('1 warning') : l10n.t('{0} warnings', warnings)]),
  ];
  const show = l10n.t('Show Problems');
  const message = [`${about}.`, `${counts.join(', ')}.`, ...memory].join(' ');
  const answer = await notify(errors > 0 ? 'warning' : 'info', message, show);
  if (answer === show) await ctx.reports.show(l10n.t('Data Set {0}', name), findingsText(told));
}

/** The findings as a text, the errors first. */
export function findingsText({ about, findings }: Pick<Told, 'about' | 'findings'>): string {
  const part = (title: string, severity: PlanFinding['severity']) => {
    const own = findings.filter((finding) => finding.severity === severity);
    if (own.length === 0) return [];
    return [`${title} (${own.length})`, '', ...own.map((one) => `${one.place} ${one.what}.\n    ${one.remedy}\n`)];
  };
  return [about, '', ...part(l10n.t('Errors'), 'error'), ...part(l10n.t('Warnings'), 'warning')].join('\n');
}

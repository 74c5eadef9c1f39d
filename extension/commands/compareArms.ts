import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { l10n, ProgressLocation, Uri, window, workspace } from 'vscode';
import type { Context } from '../context.ts';
import { ensureEngine } from './engine.ts';
import { ownProgram } from './ownProgram.ts';

const suffix = '.experiment.jsonc';

/**
 * `unimiss.compareArms`: runs an experiment (`unimiss compare`), or continues it, and shows its report. From the explorer, the editor or
 * the palette.
 */
export function compareArmsCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.compareArms'(given) {
      const file = given instanceof Uri ? given : await chooseExperiment();
      if (!file) return;
      const title = l10n.t('Comparison {0}', basename(file.fsPath).replace(suffix, ''));
      const report = join(file.fsPath.replace(/\.jsonc$/, '.results'), 'report.html');
      if (existsSync(report)) {
        const open = { label: l10n.t('Open Report'), detail: l10n.t('What the experiment found'), run: false };
        const again = {
          label: l10n.t('Continue'),
          detail: l10n.t('Trains and measures what is missing, then writes the report anew'),
          run: true,
        };
        const picked = await window.showQuickPick([open, again], { title });
        if (!picked) return;
        if (!picked.run) return ctx.reportPanels.show(report, title);
      }
      await workspace.textDocuments.find(({ uri }) => uri.toString() === file.toString())?.save();
      // Any TensorFlow will do here: each run checks the device that it asks for.
      if (!(await ensureEngine(ctx, 'cpu'))) return;
      const ran = await window.withProgress(
        { location: ProgressLocation.Notification, title: l10n.t('UniMiSS: {0}', title), cancellable: true },
        (progress, cancelled) =>
          ownProgram(ctx, ['compare', file.fsPath], {
            report: (message) => progress.report({ message }),
            onCancel: cancelled.onCancellationRequested,
          }),
      );
      // Stopped: the same command continues.
      if (ran !== undefined && existsSync(report)) await ctx.reportPanels.show(report, title);
    },
  };
}

/** The experiment in the active editor, else one of the workspace, else a file that the user chooses. */
async function chooseExperiment(): Promise<Uri | undefined> {
  const active = window.activeTextEditor?.document.uri;
  if (active?.scheme === 'file' && active.path.endsWith(suffix)) return active;
  const found = await workspace.findFiles(`**/*${suffix}`);
  const other = { label: l10n.t('Another file…'), uri: undefined };
  const files = found.map((uri) => ({ label: workspace.asRelativePath(uri), uri }));
  const picked =
    files.length === 0 ? other : await window.showQuickPick([...files, other], { title: l10n.t('Compare Arms') });
  if (!picked || picked.uri) return picked?.uri;
  const chosen = await window.showOpenDialog({
    title: l10n.t('Experiment'),
    openLabel: l10n.t('Compare Arms'),
    filters: { 'UniMiSS experiment': ['jsonc'] },
  });
  return chosen?.[0];
}

import { env, l10n, window } from 'vscode';
import { checkpointPin, checkpointsRemove, runDetails, superfluous } from '../../protocol/daemon/messages.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { Checkpoint } from '../../protocol/runs/detailsMessages.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { humanBytes, thousands } from '../../protocol/words.ts';
import type { Context } from '../context.ts';
import { notify } from '../notify.ts';
import { chooseRun } from '../runs/chooseRun.ts';

interface Row {
  readonly run: RunInfo;
  readonly checkpoint: Checkpoint;
}

/** Commands about single checkpoints, from their rows in the view Runs, and one that removes all that a run needs no more. */
export function checkpointCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  const pin = async (given: unknown, pinned: boolean) => {
    const row = await rowOf(ctx, given);
    if (!row) return;
    const { run, checkpoint } = row;
    await ctx.daemon.request(checkpointPin, { run: run.folder, step: checkpoint.step, pinned });
    ctx.view.refresh(run.folder);
  };
  const remove = async (run: RunInfo, steps?: number[]) => {
    const asked = { run: run.folder, confirm: true as const, ...(steps && { steps }) };
    const { removed, bytes } = await ctx.daemon.request(checkpointsRemove, asked);
    ctx.view.refresh(run.folder);
    window.setStatusBarMessage(l10n.t('UniMiSS: {0} are free again', humanBytes(bytes)), 5000);
    ctx.output.info(`Removed from ${run.id}: ${removed.join(', ')}`);
  };
  return {
    'unimiss.pinCheckpoint': (given) => pin(given, true),
    'unimiss.unpinCheckpoint': (given) => pin(given, false),
    async 'unimiss.copyCheckpointPath'(given) {
      const row = await rowOf(ctx, given);
      if (row) await env.clipboard.writeText(row.checkpoint.file);
    },
    async 'unimiss.removeCheckpoint'(given) {
      const row = await rowOf(ctx, given);
      if (!row) return;
      const { run, checkpoint } = row;
      const { step, bytes, best } = checkpoint;
      const size = humanBytes(bytes);
      const detail = best
        ? l10n.t('{0}. It is the best checkpoint of the run. You cannot restore it.', size)
        : l10n.t('{0}. You cannot restore it.', size);
      if (await confirmed(l10n.t('Remove the checkpoint of step {0} of {1}?', step, run.name), detail))
        await remove(run, [step]);
    },
    async 'unimiss.cleanCheckpoints'(given) {
      const none = l10n.t('No run has been trained yet. "UniMiSS: Start Pre-training" starts one.');
      const fits = ({ state }: RunInfo) => state !== 'new';
      const run = await chooseRun(ctx, given, { title: l10n.t('Clean Up Checkpoints'), fits, none });
      if (!run) return;
      const { checkpoints } = await ctx.daemon.request(runDetails, { run: run.folder });
      const doomed = superfluous(checkpoints);
      if (doomed.length === 0) {
        void notify(
          'info',
          l10n.t('{0} has only checkpoints that are kept: the newest, the best, and pinned ones.', run.name),
        );
        return;
      }
      const bytes = doomed.reduce((sum, one) => sum + one.bytes, 0);
      const size = humanBytes(bytes);
      const question =
        doomed.length === 1
          ? l10n.t('Remove 1 checkpoint of {0} ({1})?', run.name, size)
          : l10n.t('Remove {0} checkpoints of {1} ({2})?', thousands(doomed.length), run.name, size);
      if (await confirmed(question, l10n.t('The newest, the best and pinned ones stay.'))) await remove(run);
    },
  };
}

/** The checkpoint of the row that was clicked; else the user picks one. */
async function rowOf(ctx: Context, given: unknown): Promise<Row | undefined> {
  const shown = ctx.view.checkpoint(given);
  const run = await chooseRun(ctx, given, {
    title: l10n.t('Checkpoint'),
    fits: ({ state }) => state !== 'new',
    none: l10n.t('No runs yet.'),
  });
  if (!run) return undefined;
  if (shown) return { run, checkpoint: shown };
  const { checkpoints } = await ctx.daemon.request(runDetails, { run: run.folder });
  if (checkpoints.length === 0) throw new UnimissError('run', l10n.t('has no checkpoint yet'), { place: run.id });
  const items = checkpoints.map((checkpoint) => ({
    label: l10n.t('Step {0}', thousands(checkpoint.step)),
    description: humanBytes(checkpoint.bytes),
    checkpoint,
  }));
  const picked = await window.showQuickPick(items, {
    title: l10n.t('Checkpoints of {0}', run.id),
    placeHolder: l10n.t('Which checkpoint?'),
  });
  return picked && { run, checkpoint: picked.checkpoint };
}

async function confirmed(question: string, detail: string): Promise<boolean> {
  return (await window.showWarningMessage(question, { modal: true, detail }, l10n.t('Remove'))) === l10n.t('Remove');
}

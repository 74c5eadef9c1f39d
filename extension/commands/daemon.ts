import { l10n, window } from 'vscode';
import { runStart } from '../../protocol/daemon/messages.ts';
import type { Context } from '../context.ts';
import { isActive } from '../runs/describeRun.ts';

/** Commands about the daemon and the connection to it. */
export function daemonCommands(ctx: Context): Record<string, () => Promise<void>> {
  return {
    async 'unimiss.reconnect'() {
      await ctx.daemon.reconnect();
    },
    async 'unimiss.restartDaemon'() {
      await ctx.daemon.connect();
      const { state } = ctx.daemon;
      // Runs of a daemon of an earlier version are part of it and end with it. Runs of a later daemon go on, and the next daemon
      // adopts them.
      if (state.kind === 'connected' && state.control === undefined) return restartWithRuns(ctx);
      await ctx.daemon.restart();
    },
  };
}

async function restartWithRuns(ctx: Context): Promise<void> {
  await ctx.store.load();
  const training = ctx.store.runs.filter((run) => isActive(run) && run.owner === 'daemon');
  if (training.length > 0) {
    const question =
      training.length === 1
        ? l10n.t('{0} is training.', training[0]!.id)
        : l10n.t('{0} runs are training.', training.length);
    const detail = l10n.t(
      'Each run saves a checkpoint after its current step and continues from there in the new background server.',
    );
    if ((await window.showWarningMessage(question, { modal: true, detail }, l10n.t('Restart'))) !== l10n.t('Restart'))
      return;
  }
  await ctx.daemon.restart();
  for (const run of training) ctx.store.put(await ctx.daemon.request(runStart, { run: run.folder }));
}

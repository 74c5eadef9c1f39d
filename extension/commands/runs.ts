import { l10n, window } from 'vscode';
import { runName, runNameRule } from '../../protocol/config/shared.ts';
import {
  runContinue,
  runDelete,
  runKill,
  runMove,
  runPause,
  runRename,
  runStart,
  runStop,
  trashDays,
} from '../../protocol/daemon/messages.ts';
import type { RequestType } from '../../protocol/daemon/rpc.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { where } from '../machines/there.ts';
import { chooseRun } from '../runs/chooseRun.ts';
import { actionsOf, type RunAction } from '../runs/describeRun.ts';
import { deviceOf } from '../runs/device.ts';
import { selectedRuns } from '../runs/selectedRuns.ts';
import { ensureEngine } from './engine.ts';

/** Commands that control an existing run. */
export function runCommands(ctx: Context): Record<string, (given?: unknown, selected?: unknown) => Promise<void>> {
  const pick = (given: unknown, title: string, actions: RunAction[], none: string) =>
    chooseRun(ctx, given, { title, fits: (run) => actions.some((action) => actionsOf(run).includes(action)), none });
  const ask = async (request: RequestType, run: RunInfo) =>
    ctx.store.put((await ctx.daemon.request(request, { run: run.folder })) as RunInfo);

  const move = async ({ folder }: RunInfo, place: number) =>
    ctx.store.put(await ctx.daemon.request(runMove, { run: folder, place }));

  /** Those of several selected runs that allow the action; otherwise as `pick`. */
  const several = async (given: unknown, selected: unknown, title: string, action: RunAction, none: string) => {
    const runs = selectedRuns(ctx.store, given, selected);
    if (runs.length < 2) return [await pick(given, title, [action], none)].filter((run) => run !== undefined);
    const able = runs.filter((run) => actionsOf(run).includes(action));
    if (able.length === 0) throw new UnimissError('run', none);
    return able;
  };

  return {
    async 'unimiss.resumeRun'(given) {
      const run = await pick(
        given,
        l10n.t('Resume'),
        ['resume', 'continue'],
        l10n.t('No run can be resumed: none is paused, stopped or interrupted.'),
      );
      if (!run) return;
      if (run.activity === 'paused') return ask(runContinue, run);
      if (!(await ensureEngine(where(ctx, run), deviceOf(run)))) return;
      await ask(runStart, run);
    },
    async 'unimiss.pauseRun'(given) {
      const run = await pick(given, l10n.t('Pause'), ['pause'], l10n.t('No run is training.'));
      if (run) await ask(runPause, run);
    },
    async 'unimiss.stopRun'(given, selected) {
      for (const run of await several(given, selected, l10n.t('Stop'), 'stop', l10n.t('No run is training.')))
        await ask(runStop, run);
    },
    async 'unimiss.cancelRun'(given, selected) {
      const none = l10n.t('No run waits in the queue.');
      for (const run of await several(given, selected, l10n.t('Remove from Queue'), 'cancel', none))
        await ask(runStop, run);
    },
    async 'unimiss.moveUpRun'(given) {
      const run = await pick(given, l10n.t('Move Up in Queue'), ['forward'], l10n.t('No queued run can move up.'));
      if (run) await move(run, Math.max(1, (run.queue ?? 1) - 1));
    },
    async 'unimiss.moveFirstRun'(given) {
      const run = await pick(
        given,
        l10n.t('Move to Front of Queue'),
        ['forward'],
        l10n.t('No queued run can move up.'),
      );
      if (run) await move(run, 1);
    },
    async 'unimiss.renameRun'(given) {
      const run = await chooseRun(ctx, given, {
        title: l10n.t('Rename'),
        fits: () => true,
        none: l10n.t('No runs yet.'),
      });
      if (!run) return;
      const name = await window.showInputBox({
        title: l10n.t('Rename {0}', run.id),
        prompt: l10n.t('The folder of the run keeps its name.'),
        value: run.name,
        validateInput: (text) => (runName.safeParse(text).success ? undefined : runNameRule),
      });
      if (name && name !== run.name) ctx.store.put(await ctx.daemon.request(runRename, { run: run.folder, name }));
    },
    async 'unimiss.killRun'(given, selected) {
      const runs = await several(given, selected, l10n.t('Kill'), 'kill', l10n.t('No run is training.'));
      const detail = l10n.t('You lose the steps since the last checkpoint. "Stop" saves a checkpoint first.');
      if (
        runs.length > 0 &&
        (await confirmed(l10n.t('Kill the process of {0} now?', named(runs)), detail, l10n.t('Kill')))
      )
        for (const run of runs) await ask(runKill, run);
    },
    async 'unimiss.deleteRun'(given, selected) {
      const none = l10n.t('There is no run to delete. Stop a training run before you delete it.');
      const runs = await several(given, selected, l10n.t('Delete'), 'delete', none);
      const detail = l10n.t(
        'Folders with weights and records move to the folder ".trash" next to them. After {0} days they are deleted permanently.\n\n{1}',
        trashDays,
        runs.map(({ folder }) => folder).join('\n'),
      );
      if (runs.length > 0 && (await confirmed(l10n.t('Delete {0}?', named(runs)), detail, l10n.t('Delete'))))
        for (const run of runs) await ctx.daemon.request(runDelete, { run: run.folder, confirm: true });
    },
  };
}

async function confirmed(question: string, detail: string, yes: string): Promise<boolean> {
  return (await window.showWarningMessage(question, { modal: true, detail }, yes)) === yes;
}

function named(runs: readonly RunInfo[]): string {
  const [only, ...others] = runs;
  return only && others.length === 0 ? l10n.t('the run {0}', only.id) : l10n.t('{0} runs', runs.length);
}

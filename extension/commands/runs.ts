import { window } from 'vscode';
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
import { isHere } from '../machines/runFiles.ts';
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
        'Resume',
        ['resume', 'continue'],
        'No run can be resumed: none is paused, stopped or interrupted.',
      );
      if (!run) return;
      if (run.activity === 'paused') return ask(runContinue, run);
      if (isHere(run) && !(await ensureEngine(ctx, deviceOf(run)))) return;
      await ask(runStart, run);
    },
    async 'unimiss.pauseRun'(given) {
      const run = await pick(given, 'Pause', ['pause'], 'No run is training.');
      if (run) await ask(runPause, run);
    },
    async 'unimiss.stopRun'(given, selected) {
      for (const run of await several(given, selected, 'Stop', 'stop', 'No run is training.')) await ask(runStop, run);
    },
    async 'unimiss.cancelRun'(given, selected) {
      const none = 'No run waits in the queue.';
      for (const run of await several(given, selected, 'Remove from Queue', 'cancel', none)) await ask(runStop, run);
    },
    async 'unimiss.moveUpRun'(given) {
      const run = await pick(given, 'Move Up in Queue', ['forward'], 'No run waits behind another one.');
      if (run) await move(run, Math.max(1, (run.queue ?? 1) - 1));
    },
    async 'unimiss.moveFirstRun'(given) {
      const run = await pick(given, 'Move to Front of Queue', ['forward'], 'No run waits behind another one.');
      if (run) await move(run, 1);
    },
    async 'unimiss.renameRun'(given) {
      const run = await chooseRun(ctx, given, { title: 'Rename', fits: () => true, none: 'No runs yet.' });
      if (!run) return;
      const name = await window.showInputBox({
        title: `Rename ${run.id}`,
        prompt: 'The folder of the run keeps its name.',
        value: run.name,
        validateInput: (text) => (runName.safeParse(text).success ? undefined : runNameRule),
      });
      if (name && name !== run.name) ctx.store.put(await ctx.daemon.request(runRename, { run: run.folder, name }));
    },
    async 'unimiss.killRun'(given, selected) {
      const runs = await several(given, selected, 'Kill', 'kill', 'No run is training.');
      const detail = 'You lose the steps since the last checkpoint. "Stop" saves a checkpoint first.';
      if (runs.length > 0 && (await confirmed(`Kill the process of ${named(runs)} now?`, detail, 'Kill')))
        for (const run of runs) await ask(runKill, run);
    },
    async 'unimiss.deleteRun'(given, selected) {
      const none = 'There is no run to delete. Stop a training run before you delete it.';
      const runs = await several(given, selected, 'Delete', 'delete', none);
      const detail = `Folders with weights and records move to the folder ".trash" next to them. After ${trashDays} days they are deleted permanently.\n\n${runs.map(({ folder }) => folder).join('\n')}`;
      if (runs.length > 0 && (await confirmed(`Delete ${named(runs)}?`, detail, 'Delete')))
        for (const run of runs) await ctx.daemon.request(runDelete, { run: run.folder, confirm: true });
    },
  };
}

async function confirmed(question: string, detail: string, yes: string): Promise<boolean> {
  return (await window.showWarningMessage(question, { modal: true, detail }, yes)) === yes;
}

function named(runs: readonly RunInfo[]): string {
  const [only, ...others] = runs;
  return only && others.length === 0 ? `the run ${only.id}` : `${runs.length} runs`;
}

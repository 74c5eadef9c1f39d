import { window } from 'vscode';
import {
  runContinue,
  runDelete,
  runKill,
  runPause,
  runStart,
  runStop,
  trashDays,
} from '../../protocol/daemon/messages.ts';
import type { RequestType } from '../../protocol/daemon/rpc.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { chooseRun } from '../runs/chooseRun.ts';
import { actionsOf, type RunAction } from '../runs/describeRun.ts';
import { ensureEngine } from './engine.ts';

/** Commands that control an existing run. */
export function runCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  const pick = (given: unknown, title: string, actions: RunAction[], none: string) =>
    chooseRun(ctx, given, { title, fits: (run) => actions.some((action) => actionsOf(run).includes(action)), none });
  const ask = async (request: RequestType, run: RunInfo) =>
    ctx.store.put((await ctx.daemon.request(request, { run: run.folder })) as RunInfo);

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
      if (!(await ensureEngine(ctx))) return;
      await ask(runStart, run);
    },
    async 'unimiss.pauseRun'(given) {
      const run = await pick(given, 'Pause', ['pause'], 'No run is training.');
      if (run) await ask(runPause, run);
    },
    async 'unimiss.stopRun'(given) {
      const run = await pick(given, 'Stop', ['stop'], 'No run is training.');
      if (run) await ask(runStop, run);
    },
    async 'unimiss.killRun'(given) {
      const run = await pick(given, 'Kill', ['kill'], 'No run is training.');
      if (!run) return;
      const detail = 'You lose the steps since its last checkpoint. "Stop" saves a checkpoint first.';
      if (await confirmed(`Kill the process of ${run.id} now?`, detail, 'Kill')) await ask(runKill, run);
    },
    async 'unimiss.deleteRun'(given) {
      const run = await pick(
        given,
        'Delete',
        ['delete'],
        'There is no run to delete. Stop a training run before you delete it.',
      );
      if (!run) return;
      const detail = `Its folder ${run.folder}, with weights and records, moves to the folder ".trash" next to it. After ${trashDays} days it is deleted permanently.`;
      if (await confirmed(`Delete the run ${run.id}?`, detail, 'Delete'))
        await ctx.daemon.request(runDelete, { run: run.folder, confirm: true });
    },
  };
}

async function confirmed(question: string, detail: string, yes: string): Promise<boolean> {
  return (await window.showWarningMessage(question, { modal: true, detail }, yes)) === yes;
}

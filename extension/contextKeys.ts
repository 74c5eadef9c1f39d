import { commands, Disposable } from 'vscode';
import { engineInfoRequest } from '../protocol/daemon/messages.ts';
import type { Context } from './context.ts';
import { isActive } from './runs/describeRun.ts';

/** Context keys of package.json's `when` clauses: whether there are runs, whether one is active, and how engine and daemon are. */
export function keepContextKeys(
  { daemon, store, engineChanged }: Context,
  failed: (error: unknown) => void,
): Disposable {
  const set = (key: string, value: unknown) => void commands.executeCommand('setContext', `unimiss.${key}`, value);
  const showRuns = () => {
    set('hasRuns', store.runs.length > 0);
    set('hasActiveRun', store.runs.some(isActive));
  };
  const showEngine = async () => {
    const { ready } = await daemon.request(engineInfoRequest, {});
    set('engine', ready ? 'ready' : 'missing');
  };
  const askForEngine = () => void showEngine().catch(failed);
  return Disposable.from(
    store.onDidChange(showRuns),
    daemon.onDidChangeState(({ kind }) => set('daemonDown', kind === 'failed')),
    daemon.onDidConnect(askForEngine),
    engineChanged.event(askForEngine),
  );
}

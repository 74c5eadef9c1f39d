import { commands, Disposable, window, workspace } from 'vscode';
import { engineInfoRequest } from '../protocol/daemon/messages.ts';
import { NoDaemonHere } from './client/noDaemonHere.ts';
import { taskIn } from './commands/finetune.ts';
import { isConfig } from './configuration/configFiles.ts';
import type { Context } from './context.ts';
import { isActive } from './runs/describeRun.ts';
import { isFinetuning, isPretraining } from './runs/kinds.ts';

/**
 * Context keys of package.json's `when` clauses: which kinds of runs there are, whether one is active, how engine and daemon are,
 * and whether the open file configures a fine-tuning.
 */
export function keepContextKeys(
  { daemon, store, engineChanged }: Context,
  failed: (error: unknown) => void,
): Disposable {
  const set = (key: string, value: unknown) => void commands.executeCommand('setContext', `unimiss.${key}`, value);
  const showRuns = () => {
    set('hasRuns', store.runs.length > 0);
    set('hasActiveRun', store.runs.some(isActive));
    set(
      'hasQueuedRun',
      store.runs.some(({ activity }) => activity === 'queued'),
    );
    set('hasPretrained', store.runs.some(isPretraining));
    set('hasFinetuned', store.runs.some(isFinetuning));
  };
  const showEngine = async () => {
    const { ready } = await daemon.request(engineInfoRequest, {});
    set('engine', ready ? 'ready' : 'missing');
  };
  const askForEngine = () => void showEngine().catch(failed);
  const showFile = () => {
    const document = window.activeTextEditor?.document;
    set('editsFinetuning', document !== undefined && isConfig(document) && taskIn(document.getText()) === 'finetune');
  };
  showFile();
  return Disposable.from(
    window.onDidChangeActiveTextEditor(showFile),
    workspace.onDidChangeTextDocument(({ document }) => {
      if (document === window.activeTextEditor?.document) showFile();
    }),
    store.onDidChange(showRuns),
    daemon.onDidChangeState((state) => {
      const none = state.kind === 'failed' && state.error instanceof NoDaemonHere;
      set('noDaemonHere', none);
      set('daemonDown', state.kind === 'failed' && !none);
    }),
    daemon.onDidConnect(askForEngine),
    engineChanged.event(askForEngine),
  );
}

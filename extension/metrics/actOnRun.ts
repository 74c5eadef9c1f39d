import { commands } from 'vscode';
import type { RunAction } from '../../protocol/metrics/page.ts';
import type { PanelRequest } from './metricsPanel.ts';

const commandOf: Record<RunAction, string> = {
  showLog: 'unimiss.showLog',
  resume: 'unimiss.resumeRun',
  moveUp: 'unimiss.moveUpRun',
  cancel: 'unimiss.cancelRun',
  lowerRate: 'unimiss.duplicateWithLowerRate',
};

/** Does what a button of a panel says, by the command of the same meaning, which shows its own errors. */
export function actOnRun(request: PanelRequest): void {
  const element = { folder: request.run };
  if (request.type === 'act') void commands.executeCommand(commandOf[request.action], element);
  else void commands.executeCommand('unimiss.openImageOfRun', { ...element, image: request.image });
}

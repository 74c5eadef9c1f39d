import { basename, dirname } from 'node:path';
import { commands, Uri, window } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import { CaseTour } from '../viewer/caseTour.ts';
import { casesOfReport } from '../viewer/evaluatedCases.ts';
import { type ViewerEditors, viewTypes } from '../viewer/viewerEditors.ts';

/** Commands that show images. */
export function viewCommands(
  viewers: ViewerEditors,
): Record<string, (given?: unknown, selected?: unknown) => Promise<void>> {
  return {
    async 'unimiss.openViewer'(given, selected) {
      const several = Array.isArray(selected) ? selected.filter((one) => one instanceof Uri) : [];
      const uris = several.length > 0 ? several : given instanceof Uri ? [given] : await askForImages();
      for (const uri of uris) await commands.executeCommand('vscode.openWith', uri, viewTypes.others);
    },
    /** From a report's page: the report's path, and the name of a case. */
    async 'unimiss.openCase'(report, id) {
      if (typeof report !== 'string') return;
      const cases = await casesOfReport(report);
      const index = cases.findIndex((one) => one.case === id);
      if (index < 0)
        throw new UnimissError('data', `the evaluation does not say where the case "${id}" lies`, {
          remedy: 'Evaluate the run again.',
        });
      await viewers.openCase(new CaseTour(basename(dirname(report)), cases, index));
    },
    async 'unimiss.addOverlay'(given) {
      const session = viewers.current();
      if (given instanceof Uri && given.toString() !== session.document.uri.toString())
        await session.document.addLayer(given.fsPath);
      else await session.chooseOverlay();
    },
  };
}

async function askForImages(): Promise<readonly Uri[]> {
  const picked = await window.showOpenDialog({
    title: 'Open in UniMiSS Viewer',
    openLabel: 'Open',
    canSelectMany: true,
  });
  if (!picked) throw new UnimissError('interrupted', 'no image was chosen');
  return picked;
}

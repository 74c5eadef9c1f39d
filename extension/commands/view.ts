import { basename, dirname } from 'node:path';
import { commands, l10n, Uri, window } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import { addressOfUri } from '../machines/machineUri.ts';
import { readText } from '../machines/readText.ts';
import { CaseTour } from '../viewer/caseTour.ts';
import { casesOfReport } from '../viewer/evaluatedCases.ts';
import type { ViewerEditors } from '../viewer/viewerEditors.ts';
import type { VolumePanels } from '../viewer/volumePanels.ts';
import { viewerTypes } from '../viewTypes.ts';

/** Commands that show images. */
export function viewCommands(
  viewers: ViewerEditors,
  volumes: VolumePanels,
): Record<string, (given?: unknown, selected?: unknown) => Promise<void>> {
  return {
    async 'unimiss.openViewer'(given, selected) {
      const several = Array.isArray(selected) ? selected.filter((one) => one instanceof Uri) : [];
      const uris = several.length > 0 ? several : given instanceof Uri ? [given] : await askForImages();
      for (const uri of uris) await commands.executeCommand('vscode.openWith', uri, viewerTypes.others);
    },
    /** From a report's page: the report's path, and the name of a case. */
    async 'unimiss.openCase'(report, id) {
      if (typeof report !== 'string') return;
      const cases = await casesOfReport(report, readText);
      const index = cases.findIndex((one) => one.case === id);
      if (index < 0)
        throw new UnimissError('data', l10n.t('the evaluation does not say where the case "{0}" lies', String(id)), {
          remedy: l10n.t('Evaluate the run again.'),
        });
      await viewers.openCase(new CaseTour(basename(dirname(report)), cases, index));
    },
    /** Of a prediction that goes on: the image, and the file of its labels until now; without it, the prediction has ended. */
    async 'unimiss.growOverlay'(image, file) {
      if (image instanceof Uri) await viewers.grow(image, typeof file === 'string' ? file : undefined);
    },
    async 'unimiss.show3D'(given) {
      const session = (given instanceof Uri && viewers.of(given)) || viewers.current();
      await volumes.show(session.document, session);
    },
    /** Over the image that is given, which is opened for it, or over that of the current editor. */
    async 'unimiss.addOverlay'(given, image) {
      if (image instanceof Uri && !viewers.of(image))
        await commands.executeCommand('vscode.openWith', image, viewerTypes.others);
      const session = (image instanceof Uri && viewers.of(image)) || viewers.current();
      session.reveal();
      const { uri } = session.document;
      if (!(given instanceof Uri) || given.toString() === uri.toString()) return session.chooseOverlay();
      if (given.scheme !== uri.scheme || given.authority !== uri.authority)
        throw new UnimissError('data', l10n.t('lies on another machine than the image that is open'), {
          place: addressOfUri(given),
          remedy: l10n.t('Copy it to the machine with the image.'),
        });
      await session.document.addLayer(given.scheme === 'file' ? given.fsPath : given.path);
    },
  };
}

async function askForImages(): Promise<readonly Uri[]> {
  const picked = await window.showOpenDialog({
    title: l10n.t('Open in UniMiSS Viewer'),
    openLabel: l10n.t('Open'),
    canSelectMany: true,
  });
  if (!picked) throw new UnimissError('interrupted', l10n.t('no image was chosen'));
  return picked;
}

import { commands, l10n, Uri, window } from 'vscode';
import type { DataSet, DatasetStore } from './datasetStore.ts';
import type { DataRow } from './datasetsView.ts';

/** Commands of the view "Data Sets". Each takes the row on which it was called. */
export function datasetCommands(store: DatasetStore): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.addDataSet'(given) {
      const picked = given instanceof Uri ? [given] : await pickFolders();
      if (picked) await store.add(picked.map(({ fsPath }) => fsPath));
      await commands.executeCommand('unimiss.dataSets.focus');
    },
    async 'unimiss.removeDataSet'(given) {
      const set = setOf(given);
      if (set?.added) await store.remove(set.path);
    },
    async 'unimiss.checkDataSet'(given) {
      const sets = given === undefined ? await store.list() : [setOf(given)].filter((set) => set !== undefined);
      await Promise.all(sets.map((set) => store.lookAgain(set)));
    },
    async 'unimiss.planDataSet'(given) {
      const set = setOf(given);
      if (set) await commands.executeCommand('unimiss.planData', Uri.file(set.path));
    },
    async 'unimiss.pretrainDataSet'(given) {
      const set = setOf(given);
      if (set) await commands.executeCommand('unimiss.pretrainFolder', Uri.file(set.path));
    },
  };
}

function setOf(given: unknown): DataSet | undefined {
  const row = given as DataRow | undefined;
  return row?.kind === 'set' ? row.set : undefined;
}

function pickFolders(): Thenable<Uri[] | undefined> {
  return window.showOpenDialog({
    title: l10n.t('Folders with images'),
    openLabel: l10n.t('Add to Data Sets'),
    ...{ canSelectFiles: false, canSelectFolders: true, canSelectMany: true },
  });
}

import { createRequire } from 'node:module';
import { type CustomReadonlyEditorProvider, type ExtensionContext, window, workspace } from 'vscode';
import { isConfig } from './configuration/configFiles.ts';
import { schemaScheme } from './configuration/schemaScheme.ts';
import { commandDoors } from './doors/commandDoors.ts';
import { fileDoor } from './doors/fileDoor.ts';
import { TreeDoor } from './doors/treeDoor.ts';
import { connectedWhenLastSeen, trainedWhenLastSeen } from './lastSeen.ts';
import { machineScheme } from './machines/machineScheme.ts';
import type { ImageDocument } from './viewer/imageDocument.ts';
import { panelTypes, viewerTypes } from './viewTypes.ts';
import type { openWhole, Whole } from './whole.ts';

let whole: Whole | undefined;

/**
 * Activation, which every window pays for: it only puts up doors, through which whatever the user first uses, a command, a view, an
 * image, a configuration, loads the whole.
 */
export function activate(extension: ExtensionContext): void {
  const use = (): Whole => {
    if (whole) return whole;
    const open = loadWhole();
    commandsUntilThen.dispose(); // the whole has commands of the same names
    whole = open(extension, { runs: runs.view, machines: machines.view });
    return whole;
  };
  const commandsUntilThen = commandDoors(extension.extension, use);
  const runs = new TreeDoor('unimiss.runs', () => use().runs, { canSelectMany: true });
  const dataSets = new TreeDoor('unimiss.dataSets', () => use().dataSets, { showCollapseAll: true });
  const machines = new TreeDoor('unimiss.machines', () => use().machineRows);
  extension.subscriptions.push(commandsUntilThen, runs, dataSets, machines);
  const viewer: CustomReadonlyEditorProvider<ImageDocument> = {
    openCustomDocument: (uri) => use().viewers.openCustomDocument(uri),
    resolveCustomEditor: (document, panel) => use().viewers.resolveCustomEditor(document, panel),
  };
  extension.subscriptions.push(
    fileDoor(schemaScheme, () => use().schemaFiles),
    fileDoor(machineScheme, () => use().machineFiles),
    ...Object.values(viewerTypes).map((type) =>
      window.registerCustomEditorProvider(type, viewer, { supportsMultipleEditorsPerDocument: true }),
    ),
    window.registerWebviewPanelSerializer(panelTypes.metrics, {
      deserializeWebviewPanel: (panel, state) => use().panels.restore(panel, state),
    }),
    window.registerWebviewPanelSerializer(panelTypes.report, {
      deserializeWebviewPanel: (panel, state) => use().reportPanels.restore(panel, state),
    }),
    workspace.onDidOpenTextDocument((document) => {
      if (isConfig(document)) use();
    }),
  );
  // What a window shows again by itself comes after activation, so that the other extensions need not wait for it.
  const again = trainedWhenLastSeen(extension) || connectedWhenLastSeen(extension).length > 0;
  if (again || workspace.textDocuments.some(isConfig)) setImmediate(use);
}

export async function deactivate(): Promise<void> {
  await whole?.close();
}

/** The second bundle (scripts/build.mjs). */
function loadWhole(): typeof openWhole {
  return createRequire(__filename)('./whole.cjs').openWhole;
}

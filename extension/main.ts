import { createRequire } from 'node:module';
import { type CustomReadonlyEditorProvider, type ExtensionContext, window, workspace } from 'vscode';
import { isConfig } from './configuration/configFiles.ts';
import { resolvedScheme } from './configuration/resolvedScheme.ts';
import { schemaScheme } from './configuration/schemaScheme.ts';
import { fileDoor } from './doors/fileDoor.ts';
import { textDoor } from './doors/textDoor.ts';
import { TreeDoor } from './doors/treeDoor.ts';
import { WholeDoor } from './doors/wholeDoor.ts';
import { connectedWhenLastSeen, trainedWhenLastSeen } from './lastSeen.ts';
import { machineScheme } from './machines/machineScheme.ts';
import type { ImageDocument } from './viewer/imageDocument.ts';
import { panelTypes, viewerTypes } from './viewTypes.ts';
import type { openWhole, Whole } from './whole.ts';

let door: WholeDoor | undefined;

/**
 * Activation, which every window pays for: it only puts up doors, through which whatever the user first uses, a command, a view, an
 * image, a configuration, loads the whole.
 */
export function activate(extension: ExtensionContext): void {
  const use = (): Whole => whole.use();
  const runs = new TreeDoor('unimiss.runs', () => use().runs, { canSelectMany: true });
  const dataSets = new TreeDoor('unimiss.dataSets', () => use().dataSets, { showCollapseAll: true });
  const machines = new TreeDoor('unimiss.machines', () => use().machineRows);
  const whole = new WholeDoor(
    extension,
    (own) => loadWhole()(own, { runs: runs.view, machines: machines.view }),
    () => {
      for (const tree of [runs, dataSets, machines]) tree.askAgain();
    },
  );
  door = whole;
  extension.subscriptions.push(whole, runs, dataSets, machines);
  const viewer: CustomReadonlyEditorProvider<ImageDocument> = {
    openCustomDocument: (uri) => use().viewers.openCustomDocument(uri),
    resolveCustomEditor: (document, panel) => use().viewers.resolveCustomEditor(document, panel),
  };
  extension.subscriptions.push(
    fileDoor(schemaScheme, () => use().schemaFiles),
    fileDoor(machineScheme, () => use().machineFiles),
    textDoor(resolvedScheme, () => use().resolvedConfigs),
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
      if (isConfig(document)) whole.works();
    }),
  );
  // What a window shows again by itself comes after activation, so that the other extensions need not wait for it.
  const again = trainedWhenLastSeen(extension) || connectedWhenLastSeen(extension).length > 0;
  if (again || workspace.textDocuments.some(isConfig)) setImmediate(() => whole.works());
}

export async function deactivate(): Promise<void> {
  await door?.close();
}

/** The second bundle (scripts/build.mjs). */
function loadWhole(): typeof openWhole {
  return createRequire(__filename)('./whole.cjs').openWhole;
}

import { findNodeAtLocation, parseTree } from 'jsonc-parser';
import { Range, type TextDocument, window } from 'vscode';

/** Opens a configuration at a field (`train.batch.2D`), or at the nearest object around it that is there. */
export async function showField(document: TextDocument, field: string): Promise<void> {
  await window.showTextDocument(document, { preview: false, selection: rangeOf(document, field) });
}

function rangeOf(document: TextDocument, field: string): Range {
  const tree = parseTree(document.getText());
  const keys = field.split('.');
  for (let length = keys.length; tree && length > 0; length--) {
    const node = findNodeAtLocation(tree, keys.slice(0, length));
    if (node) return new Range(document.positionAt(node.offset), document.positionAt(node.offset + node.length));
  }
  return new Range(0, 0, 0, 0);
}

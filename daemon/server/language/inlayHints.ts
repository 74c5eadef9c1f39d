import { getNodePath, getNodeValue, type Node } from 'jsonc-parser';
import type { Position, Range, TextDocument } from 'vscode-json-languageservice';
import { type Analysis, valueAt } from './analysis.ts';
import { isPathAt, schemaOf } from './fields.ts';
import { isKey } from './paths.ts';

/** As in LSP. */
export type InlayHint = { position: Position; label: string; tooltip: string; paddingLeft: boolean };

/** Values that a run uses where they differ from what the file says, and what a kind of run computes from them. */
export function inlayHints(document: TextDocument, range: Range, analysis: Analysis): InlayHint[] {
  const { tree, kind, resolved } = analysis;
  if (!tree || !resolved) return [];
  const [from, to] = [document.offsetAt(range.start), document.offsetAt(range.end)];
  const derived = new Map(kind.derived?.(resolved).map(({ path, text }) => [path.join('.'), text]) ?? []);
  const schema = schemaOf(kind);
  const hints: InlayHint[] = [];
  const add = (node: Node, label: string) =>
    hints.push({
      position: document.positionAt(node.offset + node.length),
      label,
      tooltip: 'The value that this run uses.',
      paddingLeft: true,
    });
  const visit = (node: Node) => {
    const path = getNodePath(node);
    const computed = isKey(node) ? undefined : derived.get(path.join('.'));
    if (node.offset + node.length >= from && node.offset <= to) {
      if (computed !== undefined) add(node, `→ ${computed}`);
      else if (isLeaf(node)) {
        const used = valueAt(resolved, path);
        if (used !== undefined && !isPathAt(schema, path) && !same(used, getNodeValue(node)))
          add(node, `→ ${JSON.stringify(used)}`);
      }
    }
    if (node.type === 'object' || node.type === 'property' || node.type === 'array')
      for (const child of node.children ?? []) visit(child);
  };
  visit(tree);
  return hints;
}

function isLeaf(node: Node): boolean {
  return node.parent?.type === 'property' && !isKey(node) && node.type !== 'object' && node.type !== 'array';
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

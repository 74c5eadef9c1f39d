import { findNodeAtLocation, findNodeAtOffset, getNodePath } from 'jsonc-parser';
import type { Hover, Position, TextDocument } from 'vscode-json-languageservice';
import { type Analysis, valueAt } from './analysis.ts';
import { fieldAt, fieldText, schemaOf } from './fields.ts';
import { isKey } from './paths.ts';

/** What a field means, its default, and the value that a run uses with where it comes from. Null: there is no field. */
export function hoverAt(document: TextDocument, position: Position, analysis: Analysis): Hover | null {
  const { tree, kind, resolved } = analysis;
  const node = tree && findNodeAtOffset(tree, document.offsetAt(position));
  if (!tree || !node) return null;
  const path = isKey(node) ? getNodePath(node.parent!.children![1] ?? node) : getNodePath(node);
  const field = path.length === 0 ? undefined : fieldAt(schemaOf(kind), path);
  if (!field?.description) return null;
  const value = valueAt(resolved, path);
  const given = findNodeAtLocation(tree, [...path]) !== undefined;
  const plain = value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value));
  const used = plain
    ? `\n\nThis run uses \`${JSON.stringify(value)}\`${given ? '' : ', which follows from other fields'}.`
    : '';
  return {
    contents: { kind: 'markdown', value: `**\`${path.join('.')}\`**\n\n${fieldText(field)}${used}` },
    range: { start: document.positionAt(node.offset), end: document.positionAt(node.offset + node.length) },
  };
}

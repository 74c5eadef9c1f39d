import { findNodeAtLocation, findNodeAtOffset, getNodePath, type Node } from 'jsonc-parser';
import type { Hover, Position, TextDocument } from 'vscode-json-languageservice';
import { isObject } from '../../../protocol/json.ts';
import { type Analysis, valueAt } from './analysis.ts';
import { fieldAt, fieldText, schemaOf } from './fields.ts';
import { originOf } from './origin.ts';
import { isKey } from './paths.ts';

/**
 * What a field means, its default and source, and the value that the run uses with where it comes from; of an object, the values of
 * the fields that it leaves out. Null: there is no field.
 */
export function hoverAt(document: TextDocument, position: Position, analysis: Analysis): Hover | null {
  const { tree, kind } = analysis;
  const node = tree && findNodeAtOffset(tree, document.offsetAt(position));
  if (!tree || !node) return null;
  const path = getNodePath(isKey(node) ? (node.parent?.children?.[1] ?? node) : node);
  const field = path.length === 0 ? undefined : fieldAt(schemaOf(kind), path);
  if (!field?.description) return null;
  const parts = [`**\`${path.join('.')}\`**`, fieldText(field), ...usedText(analysis, tree, path)];
  return {
    contents: { kind: 'markdown', value: parts.join('\n\n') },
    range: { start: document.positionAt(node.offset), end: document.positionAt(node.offset + node.length) },
  };
}

function usedText(analysis: Analysis, tree: Node, path: readonly (string | number)[]): string[] {
  const { resolved, kind } = analysis;
  const value = valueAt(resolved, path);
  if (value === undefined || !resolved) return [];
  if (isObject(value)) return leftOut(analysis, tree, path, value);
  const derived = kind.derived?.(resolved).find((one) => one.path.join('.') === path.join('.'));
  const also = derived ? ` (${derived.text})` : '';
  return [`This run uses \`${JSON.stringify(value)}\`${also}, from this file.`];
}

function leftOut(
  analysis: Analysis,
  tree: Node,
  path: readonly (string | number)[],
  value: Record<string, unknown>,
): string[] {
  const lines = Object.entries(value)
    .map(([key, used]) => ({ inner: [...path, key], key, used }))
    .filter(({ inner, used }) => !isObject(used) && !findNodeAtLocation(tree, inner))
    .map(({ inner, key, used }) => `- \`${key}\`: \`${JSON.stringify(used)}\`, ${originOf(analysis, inner, used)}`);
  return lines.length === 0 ? [] : [`Not set here; this run uses:\n\n${lines.join('\n')}`];
}

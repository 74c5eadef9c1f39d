import { readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { getNodePath, type Node } from 'jsonc-parser';
import { absoluteFrom } from '../../../protocol/config/paths.ts';
import { type FieldSchema, isPathAt } from './fields.ts';

/** The paths that a configuration names: links to them, their completion, and whether they exist. */

/** A string of the configuration that holds a path. */
export interface PathNode {
  readonly node: Node;
  readonly field: readonly (string | number)[];
  /** Absolute. */
  readonly target: string;
}

/** All paths that a configuration names, in order. */
export function pathNodes(tree: Node | undefined, schema: FieldSchema, file: string): PathNode[] {
  const absolute = absoluteFrom({ baseDir: dirname(file) });
  const found: PathNode[] = [];
  const visit = (node: Node) => {
    if (node.type === 'string' && node.parent && !isKey(node)) {
      const field = getNodePath(node);
      if (node.value !== '' && isPathAt(schema, field))
        found.push({ node, field, target: absolute(node.value as string) });
    }
    for (const child of node.children ?? []) visit(child);
  };
  if (tree) visit(tree);
  return found;
}

export function isKey(node: Node): boolean {
  return node.parent?.type === 'property' && node.parent.children?.[0] === node;
}

export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Names in the folder that a half-written path leads to. Folders end with a slash and come first. */
export async function namesFor(written: string, file: string): Promise<{ name: string; folder: boolean }[]> {
  const slash = written.lastIndexOf('/');
  const folder = slash < 0 ? dirname(file) : absoluteFrom({ baseDir: dirname(file) })(written.slice(0, slash + 1));
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter(({ name }) => !name.startsWith('.') || written.slice(slash + 1).startsWith('.'))
    .map((entry) => ({ name: entry.name, folder: entry.isDirectory() }))
    .sort((a, b) => Number(b.folder) - Number(a.folder) || a.name.localeCompare(b.name, 'en', { numeric: true }))
    .slice(0, 500);
}

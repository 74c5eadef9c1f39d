import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Node } from 'jsonc-parser';
import { getNodePath } from 'jsonc-parser';
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
  const found: PathNode[] = [];
  const visit = (node: Node) => {
    if (node.type === 'string' && node.parent && !isKey(node)) {
      const field = getNodePath(node);
      if (node.value !== '' && isPathAt(schema, field))
        found.push({ node, field, target: absoluteFrom(node.value as string, file) });
    }
    for (const child of node.children ?? []) visit(child);
  };
  if (tree) visit(tree);
  return found;
}

export function isKey(node: Node): boolean {
  return node.parent?.type === 'property' && node.parent.children?.[0] === node;
}

/** As the configuration resolves it: from the folder of its file, `~` is the home. */
export function absoluteFrom(path: string, file: string): string {
  const expanded = path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
  return isAbsolute(expanded) ? expanded : resolve(dirname(file), expanded);
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
  const folder = slash < 0 ? dirname(file) : absoluteFrom(written.slice(0, slash + 1), file);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter(({ name }) => !name.startsWith('.') || written.slice(slash + 1).startsWith('.'))
    .map((entry) => ({ name: entry.name, folder: entry.isDirectory() }))
    .sort((a, b) => Number(b.folder) - Number(a.folder) || a.name.localeCompare(b.name, 'en', { numeric: true }))
    .slice(0, 500);
}

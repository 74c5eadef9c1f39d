import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getNodeValue, type Node, parseTree } from 'jsonc-parser';
import { chooseKind } from '../../../protocol/config/chooseKind.ts';
import { type ConfigKind, type ResolvedConfig, resolveConfig } from '../../../protocol/config/index.ts';
import { checkConfig, type Problem } from '../../../protocol/config/parseConfig.ts';
import { isObject } from '../../../protocol/json.ts';

/** What a configuration's text says. */
export interface Analysis {
  readonly text: string;
  /** Path of the file; undefined if it has none yet, or lies elsewhere. */
  readonly file: string | undefined;
  /** The kind that its `task` names; the first one if that is unknown. */
  readonly kind: ConfigKind;
  /** Undefined if the text holds nothing. It may be incomplete. */
  readonly tree: Node | undefined;
  readonly problems: readonly Problem[];
  readonly notices: readonly Problem[];
  /** With every choice made; undefined if something is wrong, or the file has no path. */
  readonly resolved: ResolvedConfig | undefined;
}

export function analyse(uri: string, text: string, kinds: readonly ConfigKind[]): Analysis {
  const file = pathOf(uri);
  const tree = parseTree(text, [], { allowTrailingComma: true });
  const value: unknown = tree && getNodeValue(tree);
  const chosen = chooseKind(isObject(value) ? value.task : undefined, kinds);
  const kind = 'kind' in chosen ? chosen.kind : kinds[0]!;
  const { config, problems, notices } = checkConfig(text, kinds);
  const resolved = config && file !== undefined ? resolveConfig(config, { baseDir: dirname(file) }, kinds) : undefined;
  return { text, file, kind, tree, problems, notices, resolved };
}

function pathOf(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined; // an unsaved document, or one of another machine
  }
}

/** The value at a path of keys; undefined if there is none. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      (isObject(inner) || Array.isArray(inner)) && Object.hasOwn(inner, key)
        ? (inner as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );
}

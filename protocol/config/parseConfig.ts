import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { UnimissError } from '../errors.ts';
import { isObject } from '../json.ts';
import { chooseKind } from './chooseKind.ts';
import { explain, unknownKeyRemedy } from './explainProblem.ts';
import { configKinds, type GivenConfig } from './index.ts';
import type { ConfigKind } from './kind.ts';
import { removeRetired } from './retiredFields.ts';

/** One thing wrong or ignored in a configuration file, with its place for an editor: line and column count from 1, offset from 0. */
export interface Problem {
  message: string;
  remedy?: string;
  /** JSON text that would be right in this place, if there is one that is likely meant. */
  replacement?: string;
  /** Whether it is a matter of JSON, not of this kind of file. */
  syntax?: true;
  /** Keys that lead to the value, joined by points; empty for the file as a whole. */
  field: string;
  line: number;
  column: number;
  offset: number;
  length: number;
}

const rules = 'Comments and trailing commas are allowed. Keys and strings need double quotes.';

/**
 * Reads a `*.unimiss.jsonc` text (JSON with comments and trailing commas) and finds everything wrong with it. `notices` name what
 * it ignores.
 */
export function checkConfig(
  text: string,
  kinds: readonly ConfigKind[] = configKinds,
): { config?: GivenConfig; problems: Problem[]; notices: Problem[] } {
  const body = text.replace(/^\uFEFF/, ' ');
  const syntax: ParseError[] = [];
  const tree = parseTree(body, syntax, { allowTrailingComma: true, disallowComments: false, allowEmptyContent: false });
  const at = (
    { offset, length }: Pick<Problem, 'offset' | 'length'>,
    path: PropertyKey[],
    message: string,
    remedy?: string,
    replacement?: string,
  ): Problem => {
    const before = body.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - before.lastIndexOf('\n');
    return {
      message,
      field: path.join('.'),
      line,
      column,
      offset,
      length,
      ...(remedy === undefined ? {} : { remedy }),
      ...(replacement === undefined ? {} : { replacement }),
    };
  };
  if (body.trim() === '')
    return { problems: [at({ offset: 0, length: 0 }, [], 'the file is empty', kinds[0]!.smallest)], notices: [] };
  if (syntax.length > 0 || tree === undefined)
    // Later errors are mostly consequences of the first.
    return {
      problems: syntax.slice(0, 1).map((e) => ({
        ...at(e, [], `not valid JSON: ${words(e.error)}`, rules),
        syntax: true,
      })),
      notices: [],
    };
  const located = (path: PropertyKey[], message: string, remedy?: string, replacement?: string): Problem => {
    const node = closest(tree, path);
    return at(node, path, message, remedy, replacement);
  };
  const repeated = repeatedKeys(tree).map(({ key, path }) => ({
    ...at(key, path, ...keyMessage(path)),
    ...(path.at(-1) !== '__proto__' && { syntax: true as const }),
  }));
  if (repeated.length > 0) return { problems: repeated, notices: [] };

  const value: unknown = getNodeValue(tree);
  const notices = removeRetired(value).map(({ path, message }) => located([...path], message));
  const chosen = chooseKind(isObject(value) ? value.task : undefined, kinds);
  if ('message' in chosen)
    return { notices, problems: [located(['task'], chosen.message, chosen.remedy, chosen.replacement)] };
  const { kind } = chosen;
  const parsed = kind.schema.safeParse(value, { reportInput: true });
  if (!parsed.success)
    return {
      notices,
      problems: parsed.error.issues.flatMap((issue) => {
        if (issue.code !== 'unrecognized_keys') return [located(issue.path, ...explain(issue, tree, body, kind))];
        return issue.keys.map((key) => {
          const path = [...issue.path, key];
          const node = closest(tree, path).parent?.children?.[0] ?? tree;
          const [remedy, replacement] = unknownKeyRemedy(issue.path, key, kind);
          return at(node, path, `unknown key "${key}"`, remedy, replacement);
        });
      }),
    };
  // Only a value that stands in the file can be replaced there.
  const given = (path: PropertyKey[]) => findNodeAtLocation(tree, path as (string | number)[]) !== undefined;
  const impossible = kind
    .problems(parsed.data)
    .map(({ path, message, remedy, replacement }) =>
      located(path, message, remedy, given(path) ? replacement : undefined),
    );
  return impossible.length > 0
    ? { problems: impossible, notices }
    : { config: parsed.data as GivenConfig, problems: [], notices };
}

export interface ParseOptions {
  /** All kinds of runs. Default: the product's. */
  kinds?: readonly ConfigKind[];
  /** Receives what is ignored. */
  notice?: (message: string) => void;
  /** Where a value comes from if it does not stand in the file; its field is part of that name then. */
  placeOf?: (problem: Problem) => string | undefined;
}

/**
 * The configuration in a `*.unimiss.jsonc` text; `file` is its name for messages. `Given`: the type of its kind, if the caller
 * knows it. Throws UnimissError 'config', which names file, line, column, field and value of everything wrong, each with its
 * remedy.
 */
export function parseConfig<Given = GivenConfig>(
  text: string,
  file: string,
  { kinds = configKinds, notice = () => undefined, placeOf = () => undefined }: ParseOptions = {},
): Given {
  const { config, problems, notices } = checkConfig(text, kinds);
  if (config !== undefined) {
    for (const { message } of notices) notice(`${file}: ${message}`);
    return config as Given;
  }
  const [first, ...others] = problems.map((problem) => {
    const { field, message, line, column, remedy } = problem;
    const elsewhere = placeOf(problem);
    return {
      remedy,
      place: elsewhere ?? `${file}:${line}:${column}`,
      text: field === '' || elsewhere?.includes(field) ? message : `${field}: ${message}`,
    };
  });
  if (!first) throw new UnimissError('internal', 'a configuration with no problem was refused', { place: file });
  const remedies = [
    ...(first.remedy === undefined ? [] : [first.remedy]),
    ...others.map(
      ({ place, text: what, remedy }) => `${place}: ${what}${remedy === undefined ? '' : `\n    ${remedy}`}`,
    ),
  ].join('\n  ');
  throw new UnimissError('config', first.text, {
    place: first.place,
    ...(remedies === '' ? {} : { remedy: remedies }),
  });
}

/** The node of the value at `path`, or of the nearest existing object around it. */
export function closest(tree: Node, path: readonly PropertyKey[]): Node {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(tree, path.slice(0, length) as (string | number)[]);
    if (node !== undefined) return node;
  }
  return tree;
}

/** Keys that JSON readers would drop silently: a repeated key of an object, or `__proto__`. */
function repeatedKeys(node: Node, path: PropertyKey[] = []): { key: Node; path: PropertyKey[] }[] {
  if (node.type === 'array') return (node.children ?? []).flatMap((child, i) => repeatedKeys(child, [...path, i]));
  if (node.type !== 'object') return [];
  const seen = new Set<string>(['__proto__']);
  return (node.children ?? []).flatMap((property) => {
    const [key, value] = property.children!;
    const name = key!.value as string;
    const found = seen.has(name) ? [{ key: key!, path: [...path, name] }] : [];
    seen.add(name);
    return [...found, ...(value === undefined ? [] : repeatedKeys(value, [...path, name]))];
  });
}

function keyMessage(path: PropertyKey[]): [string, string] {
  if (path.at(-1) === '__proto__') return ['unknown key "__proto__"', 'Remove it.'];
  return [`"${String(path.at(-1))}" is given twice`, 'Keep one of them.'];
}

/** An error of jsonc-parser in words: "PropertyNameExpected" → "property name expected". */
function words(code: number): string {
  return printParseErrorCode(code)
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase();
}

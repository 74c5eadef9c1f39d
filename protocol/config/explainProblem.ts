import { findNodeAtLocation, getNodeValue, type Node } from 'jsonc-parser';
import type { z } from 'zod';
import { configJsonSchema } from './index.ts';
import type { ConfigKind } from './kind.ts';
import { misspelled, plain } from './nearest.ts';
import { otherNameRemedy, otherValueName } from './otherNames.ts';
import { runNameRule } from './shared.ts';

interface SchemaNode {
  properties?: Record<string, SchemaNode>;
}

/** All fields with their paths, from the JSON Schema. */
function fields(node: SchemaNode, path: string[] = []): string[][] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    [...path, key],
    ...fields(child, [...path, key]),
  ]);
}

/**
 * What to write in place of an unknown key: the field of that object, or of the whole file, that the user probably meant.
 * @returns the remedy, and the key in JSON if it belongs to the same object
 */
export function unknownKeyRemedy(parent: PropertyKey[], key: string, kind: ConfigKind): [string, string?] {
  const all = fields(configJsonSchema([kind]) as SchemaNode);
  const parentName = parent.join('.');
  const here = all.filter((path) => path.slice(0, -1).join('.') === parentName).map((path) => path.at(-1)!);
  const elsewhere = all.find((path) => plain(path.at(-1) ?? '') === plain(key));
  const sameName = here.find((name) => plain(name) === plain(key));
  if (sameName !== undefined) return [`Did you mean "${sameName}"?`, JSON.stringify(sameName)];
  if (elsewhere !== undefined) return [`Did you mean "${elsewhere.join('.')}"?`];
  const known = all.map((path) => path.join('.'));
  const otherName = otherNameRemedy(key, known);
  if (otherName !== undefined) return [otherName];
  const similar = misspelled(key, here);
  if (similar !== undefined) return [`Did you mean "${similar}"?`, JSON.stringify(similar)];
  return [`Valid here: ${here.filter((name) => name !== '$schema').join(', ')}.`];
}

/** A value as it stands in the file, on one line and not too long. */
function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}…` : line;
}

/**
 * What is wrong with a value; `body` is the text that `tree` was read from.
 * @returns what is wrong, the remedy, and the nearest valid value as JSON
 */
export function explain(
  issue: z.core.$ZodIssue,
  tree: Node,
  body: string,
  kind: ConfigKind,
): [string, string?, string?] {
  const node = findNodeAtLocation(tree, issue.path as (string | number)[]);
  if (node === undefined) return ['is missing', kind.remedies[String(issue.path[0])] ?? 'Add it.'];
  const given = shorten(body.slice(node.offset, node.offset + node.length));
  switch (issue.code) {
    case 'invalid_value': {
      const valid = issue.values.map((value) => String(value));
      const meant = closestMeaning(String(getNodeValue(node)), valid);
      return [
        `${given} is not one of ${valid.map((v) => JSON.stringify(v)).join(', ')}`,
        meant && `Did you mean ${JSON.stringify(meant)}?`,
        meant && JSON.stringify(issue.values.find((value) => String(value) === meant)),
      ];
    }
    case 'too_small':
    case 'too_big': {
      const [bound, side] = issue.code === 'too_small' ? [issue.minimum, 'small'] : [issue.maximum, 'large'];
      if (issue.origin === 'array') return wrongLength(node, Number(bound), String(issue.path.at(-1)));
      if (issue.origin === 'string') return [`${given} is empty`];
      const open = issue.inclusive === false;
      return [
        `${given} is too ${side}: it must be ${open ? (side === 'small' ? 'above' : 'below') : side === 'small' ? 'at least' : 'at most'} ${bound}`,
        open ? undefined : `The closest valid value is ${bound}.`,
        open ? undefined : String(bound),
      ];
    }
    case 'invalid_type': {
      const value: unknown = getNodeValue(node);
      if (issue.expected === 'int' && typeof value === 'number')
        return [
          `${given} is not a whole number`,
          Number.isFinite(value) ? `The closest is ${Math.round(value)}.` : undefined,
          Number.isFinite(value) ? String(Math.round(value)) : undefined,
        ];
      return [`${given} is not ${typeNames[issue.expected] ?? issue.expected}`];
    }
    case 'invalid_format':
      return issue.path.at(-1) === 'name'
        ? [`${given} is not a valid run name`, runNameRule]
        : [`${given} is not a path`];
    case 'invalid_union': {
      const meant = meantBranch(issue, getNodeValue(node));
      if (meant) return explain(meant, tree, body, kind);
      return [`${given} is not valid here`, kind.remedies[issue.path.join('.')]];
    }
    default:
      return [`${given}: ${issue.message}`];
  }
}

/** The problem in the only branch of a union that takes values of this type; undefined if none or several do. */
function meantBranch(issue: z.core.$ZodIssueInvalidUnion, value: unknown): z.core.$ZodIssue | undefined {
  const taken = issue.errors.flatMap(([first]) => {
    if (!first || first.code === 'invalid_value') return [];
    const otherType = first.path.length === 0 && first.code === 'invalid_type' && !expects(first.expected, value);
    return otherType ? [] : [first];
  });
  const [only, ...others] = taken;
  if (!only || others.length > 0) return undefined;
  // Deeper problems keep their own place.
  return { ...only, path: [...issue.path, ...only.path] };
}

/** Whether a value is of an expected type, whatever else is wrong with it. */
function expects(expected: string, value: unknown): boolean {
  return typeof value === (expected === 'int' ? 'number' : expected);
}

function closestMeaning(value: string, valid: readonly string[]): string | undefined {
  const other = otherValueName(value, valid);
  return other === null ? undefined : (other ?? misspelled(value, valid));
}

/** What the numbers of a list are, by the name of its field. */
const axes: Record<string, string> = {
  size2D: '[height, width]',
  size3D: '[slices, height, width]',
  patch: '[height, width] or [slices, height, width]',
  spacing: '[between slices, x, y] in mm',
  weightDecay: '[at the start, at the end]',
  momentum: '[at the start, at the end]',
  area2D: '[min, max]',
  crop3D: '[min, max]',
  parent3D: '[min, max]',
};

function wrongLength(node: Node, bound: number, field: string): [string, string?] {
  const length = node.children?.length ?? 0;
  if (bound === 1) return ['is an empty list', 'Write at least one value.'];
  const what = axes[field];
  return [`needs ${bound} values, got ${length}`, what && `Write ${what}.`];
}

const typeNames: Record<string, string> = {
  string: 'a string in double quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object in braces',
  array: 'a list in brackets',
  tuple: 'a list in brackets',
};

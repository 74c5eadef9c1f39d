import { configJsonSchema } from '../../../protocol/config/index.ts';
import type { ConfigKind } from '../../../protocol/config/kind.ts';

/** The part of a JSON Schema that helps with a field. */
export interface FieldSchema {
  readonly description?: string;
  /** Where the idea or the default comes from: a paper with its part, or a page of docs/. */
  readonly source?: string;
  readonly markdownDescription?: string;
  readonly default?: unknown;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly items?: FieldSchema | readonly FieldSchema[];
  readonly anyOf?: readonly FieldSchema[];
  readonly oneOf?: readonly FieldSchema[];
}

const schemas = new WeakMap<ConfigKind, FieldSchema>();

/** The JSON Schema of a kind of configuration, with documentation as Markdown. */
export function schemaOf(kind: ConfigKind): FieldSchema {
  let schema = schemas.get(kind);
  if (!schema) {
    schema = documented(configJsonSchema([kind]) as FieldSchema);
    schemas.set(kind, schema);
  }
  return schema;
}

function documented<T>(node: T): T {
  if (Array.isArray(node)) return node.map(documented) as T;
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, documented(value)]));
  if (typeof copy.description === 'string') copy.markdownDescription = fieldText(copy as FieldSchema);
  return copy as T;
}

/** What a field means, its default, and its source, as Markdown. */
export function fieldText({ description = '', default: value, source }: FieldSchema): string {
  // The default of a group is that of its fields.
  const grouped = value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value));
  const lines = [
    description,
    ...(grouped ? [] : [`Default: \`${JSON.stringify(value)}\``]),
    ...(source === undefined ? [] : [`Source: ${source}.`]),
  ];
  return lines.join('\n\n');
}

/** The field at a path of keys; places in lists are numbers. Undefined if the schema has none. */
export function fieldAt(schema: FieldSchema, path: readonly (string | number)[]): FieldSchema | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return schema;
  for (const one of alternatives(schema)) {
    const { items } = one;
    const inner =
      typeof key === 'number'
        ? Array.isArray(items)
          ? (items as readonly FieldSchema[])[key]
          : (items as FieldSchema | undefined)
        : one.properties && Object.hasOwn(one.properties, key)
          ? one.properties[key]
          : undefined;
    const found = inner && fieldAt(inner, rest);
    if (found) return found;
  }
  return undefined;
}

/** Paths of the fields of an object with a closed list of values, at any depth, and those values. `task` is none of them. */
export function choicesOf(
  schema: FieldSchema,
  path: readonly string[] = [],
): { readonly path: readonly string[]; readonly values: readonly unknown[] }[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => [
    ...(field.enum ? [{ path: [...path, key], values: field.enum }] : []),
    ...choicesOf(field, [...path, key]),
  ]);
}

function alternatives(schema: FieldSchema): readonly FieldSchema[] {
  return [schema, ...(schema.anyOf ?? []).flatMap(alternatives), ...(schema.oneOf ?? []).flatMap(alternatives)];
}

/** Whether a field holds the path of a file or folder. */
export function holdsPath(field: FieldSchema): boolean {
  return alternatives(field).some(({ format }) => format === 'path');
}

/** All nodes of strings at fields that hold a path are found by this. */
export function isPathAt(schema: FieldSchema, path: readonly (string | number)[]): boolean {
  const field = fieldAt(schema, path);
  return field !== undefined && holdsPath(field);
}

import { z } from 'zod';

type Check = (value: unknown) => boolean;
type JsonSchema = z.core.JSONSchema.JSONSchema;

/**
 * Returns true only for values that the schema accepts and returns unchanged: many times faster than the schema, for values
 * that come by the hundred thousand. Returns false for everything else, including values of schemas with a feature that it
 * does not know. Ask the schema then. Do not use it with refinements: the JSON Schema it is made from has none.
 */
export function quickCheck(schema: z.ZodType): Check {
  return checkOf(z.toJSONSchema(schema, { unrepresentable: 'any' }));
}

function checkOf(schema: z.core.JSONSchema._JSONSchema): Check {
  if (typeof schema === 'boolean') return never;
  const { $schema: _, description: __, ...rules } = schema;
  if (rules.anyOf !== undefined) return nullableCheck(rules);
  switch (rules.type) {
    case 'object':
      return rules.properties === undefined ? recordCheck(rules) : objectCheck(rules);
    case 'array':
      return arrayCheck(rules);
    case 'number':
    case 'integer':
      return numberCheck(rules);
    case 'string':
      return stringCheck(rules);
    default:
      return never;
  }
}

/** Objects with exactly these keys. */
function objectCheck({ type: _, properties = {}, required = [], additionalProperties, ...more }: JsonSchema): Check {
  const checks = Object.entries(properties).map(([key, property]) => ({ key, holds: checkOf(property) }));
  if (isMore(more) || additionalProperties !== false || required.length !== checks.length) return never;
  return (value) => {
    if (typeof value !== 'object' || value === null || Object.keys(value).length !== checks.length) return false;
    for (const { key, holds } of checks) if (!holds((value as Record<string, unknown>)[key])) return false;
    return true;
  };
}

/** Objects with any keys, whose values share one schema. */
function recordCheck({ type: _, propertyNames, additionalProperties, ...more }: JsonSchema): Check {
  if (isMore(more) || typeof additionalProperties !== 'object' || !isAnyString(propertyNames)) return never;
  const holds = checkOf(additionalProperties);
  return (value) => {
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
    const record = value as Record<string, unknown>;
    // zod drops a key `__proto__`.
    for (const key in record) if (key === '__proto__' || !holds(record[key])) return false;
    return true;
  };
}

function isAnyString(names: JsonSchema['propertyNames']): boolean {
  return typeof names === 'object' && names.type === 'string' && Object.keys(names).length === 1;
}

/**
 * Accepts null or what the schema accepts. In other unions, the first member that accepts a value decides how zod transforms it.
 */
function nullableCheck({ anyOf = [], ...more }: JsonSchema): Check {
  const [inner, none] = anyOf;
  if (isMore(more) || anyOf.length !== 2 || inner === undefined) return never;
  if (typeof none !== 'object' || none.type !== 'null' || Object.keys(none).length !== 1) return never;
  const holds = checkOf(inner);
  return (value) => value === null || holds(value);
}

function arrayCheck({ type: _, items, ...more }: JsonSchema): Check {
  if (isMore(more) || items === undefined || Array.isArray(items)) return never;
  const holds = checkOf(items);
  return (value) => Array.isArray(value) && value.every(holds);
}

function numberCheck({ type, minimum: low = -Infinity, maximum: high = Infinity, ...more }: JsonSchema): Check {
  if (isMore(more)) return never;
  const kind = type === 'integer' ? Number.isSafeInteger : Number.isFinite;
  return (value) => kind(value) && (value as number) >= low && (value as number) <= high;
}

/** The pattern identifies the format. */
function stringCheck({ type: _, const: only, enum: some, pattern, format, ...more }: JsonSchema): Check {
  if (isMore(more) || (format !== undefined && pattern === undefined)) return never;
  const values = only === undefined ? some : [only];
  const form = pattern === undefined ? undefined : new RegExp(pattern);
  return (value) =>
    typeof value === 'string' && (values?.includes(value) ?? true) && (form === undefined || form.test(value));
}

function isMore(rules: object): boolean {
  return Object.keys(rules).length > 0;
}

function never(): boolean {
  return false;
}

/**
 * The configuration's JSON Schema for the editor's completion and hovers. What it would say about wrong values is left
 * out, since the extension says that itself, with the remedy: each mistake is underlined once.
 */
export function editorSchema(schema) {
  if (schema.oneOf?.every((kind) => kind.properties?.task)) return byTask(schema);
  const { $schema, $defs, properties, items, anyOf, oneOf, description, default: preset, type, enum: values } = schema;
  const each = (map) =>
    map && Object.fromEntries(Object.entries(map).map(([name, inner]) => [name, editorSchema(inner)]));
  // A value to propose is an example; `enum` would refuse all others.
  const examples = values ?? (type === 'boolean' ? [true, false] : undefined);
  return {
    ...($schema && { $schema }),
    ...(description && { markdownDescription: description }),
    ...(preset !== undefined && { default: preset }),
    ...(examples && { examples }),
    // What is put behind a completed key: braces or brackets.
    ...((type === 'object' || type === 'array') && { type }),
    ...(properties && { properties: each(properties) }),
    ...($defs && { $defs: each($defs) }),
    ...(items && { items: Array.isArray(items) ? items.map(editorSchema) : editorSchema(items) }),
    ...((anyOf ?? oneOf) && { anyOf: (anyOf ?? oneOf).map(editorSchema) }),
  };
}

/** What is completed and explained follows the file's `task`; the first kind serves a file without it. */
function byTask({ $schema, oneOf: [first, ...others] }) {
  const chosen = others.reduceRight((otherwise, kind) => {
    const task = { const: kind.properties.task.const };
    return {
      if: { properties: { task }, required: ['task'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: editorSchema(kind),
      else: otherwise,
    };
  }, editorSchema(first));
  return { $schema, ...chosen };
}

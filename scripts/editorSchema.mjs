/**
 * The configuration's JSON Schema for the editor's completion and hovers. It omits checks of values, because the extension
 * reports these itself, with remedies, and each mistake should be underlined once.
 */
export function editorSchema(schema) {
  if (schema.oneOf?.every((kind) => kind.properties?.task)) return byTask(schema);
  const { $schema, $defs, properties, items, anyOf, oneOf, description, default: preset, type, enum: values } = schema;
  const each = (map) =>
    map && Object.fromEntries(Object.entries(map).map(([name, inner]) => [name, editorSchema(inner)]));
  // Proposed values are examples, since `enum` would refuse all others.
  const examples = values ?? (type === 'boolean' ? [true, false] : undefined);
  return {
    ...($schema && { $schema }),
    ...(description && { markdownDescription: description }),
    ...(preset !== undefined && { default: preset }),
    ...(examples && { examples }),
    // The text after a completed key: braces or brackets.
    ...((type === 'object' || type === 'array') && { type }),
    ...(properties && { properties: each(properties) }),
    ...($defs && { $defs: each($defs) }),
    ...(items && { items: Array.isArray(items) ? items.map(editorSchema) : editorSchema(items) }),
    ...((anyOf ?? oneOf) && { anyOf: (anyOf ?? oneOf).map(editorSchema) }),
  };
}

/** The file's `task` selects completions and hovers; a file without it uses the first kind. */
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

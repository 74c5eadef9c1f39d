/**
 * The configuration's JSON Schema for the editor's own JSON support, which uses it where the daemon does not help
 * (extension/configuration/schemaFiles.ts): documentation as Markdown, and `task` decides which kind's fields count.
 */
export function editorSchema({ $schema, title, oneOf, ...only }) {
  const common = { $schema, title, allowTrailingCommas: true };
  if (!oneOf) return { ...common, ...documented(only) };
  const [first, ...others] = oneOf;
  const chosen = others.reduceRight((otherwise, kind) => {
    const task = { const: kind.properties.task.const };
    return {
      if: { properties: { task }, required: ['task'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: documented(kind),
      else: otherwise,
    };
  }, documented(first));
  return { ...common, ...chosen };
}

function documented(node) {
  if (Array.isArray(node)) return node.map(documented);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, documented(value)]));
  const { description, source } = copy;
  if (typeof description !== 'string') return copy;
  return { ...copy, markdownDescription: `${description}${source ? `\n\nSource: ${source}.` : ''}` };
}

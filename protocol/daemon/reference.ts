import { z } from 'zod';
import { metricsMessage } from '../metrics/page.ts';
import { runInfoSchema } from '../runs/runInfo.ts';
import { protocolVersion } from './lifecycleMessages.ts';
import { largestMessageBytes, messagesByTopic } from './messages.ts';
import type { MessageType } from './rpc.ts';
import { rpcErrorCodes } from './wireError.ts';

interface Schema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  format?: string;
}

/** docs/protocol.md: the reference of all messages, from their declarations. */
export function protocolReference(): string {
  const topics = messagesByTopic.map(({ topic, messages }) => [`## ${topic}`, ...messages.map(section)].join('\n\n'));
  return `${[introduction, ...topics, runSection()].join('\n\n')}\n`;
}

const codes = Object.entries(rpcErrorCodes).map(([name, code]) => `| ${code} | ${name} |`);
const introduction = `# Protocol

<!-- Generated from the declarations in protocol/ by \`npm run docs\`. -->

Clients and the daemon speak JSON-RPC 2.0 with the framing of the Language Server Protocol, over the daemon's Unix socket or the
standard streams of \`unimiss connect\` (also through SSH). This is version ${protocolVersion}. The daemon checks params strictly: an unknown key is
an error. Clients must ignore unknown keys in answers and notifications. A message has at most ${largestMessageBytes / 2 ** 20} MiB. A frame whose header
announces more, or that is not JSON, ends the connection.

An error carries \`data: { code, what, place?, remedy? }\`: what is wrong, where, and what to do about it. JSON-RPC error codes:

| code | meaning |
|---|---|
${codes.join('\n')}

A subscription sends one notification at a time and waits until it is written: a slow client gets fewer and larger
ones. After a lost connection, subscribe again with the last position received (\`after\`) to get what was missed.`;

function section(message: MessageType): string {
  const kind =
    message.kind === 'request'
      ? 'Request.'
      : `Notification, from ${message.from === 'both' ? 'either side' : `the ${message.from}`}.`;
  const parts = [
    `### \`${message.method}\``,
    `${kind} ${message.about}`,
    fieldTable('Params', message.params, 'input'),
  ];
  if (message.kind === 'request') parts.push(fieldTable('Answer', message.result, 'output'));
  return parts.filter(Boolean).join('\n\n');
}

function fieldTable(title: string, type: z.ZodType, io: 'input' | 'output'): string {
  if (type === runInfoSchema) return `${title}: a [run](#run).`;
  const rows = fields(schemaOf(type, io));
  if (rows.length === 0) return '';
  return [`${title}:`, '', '| field | type | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** Types that many messages contain are described once. */
const shared = new Map<unknown, string>([
  [runInfoSchema, '[run](#run)'],
  [metricsMessage, 'message of protocol/metrics/page.ts'],
]);

function schemaOf(type: z.ZodType, io: 'input' | 'output'): Schema {
  return z.toJSONSchema(type, {
    unrepresentable: 'any',
    io,
    override: ({ zodSchema, jsonSchema }) => {
      const name = shared.get(zodSchema);
      if (name === undefined) return;
      for (const key of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[key];
      Object.assign(jsonSchema, { type: name });
    },
  }) as Schema;
}

function runSection(): string {
  return [
    '## Run',
    'The state of a run, which most requests about a run return.',
    fieldTable('Fields', runInfoSchema.extend({}), 'output'),
  ].join('\n\n');
}

/** One row per field; fields of inner objects follow under their paths. */
function fields(schema: Schema, path = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const optional = !schema.required?.includes(key) && field.default === undefined;
    const standard = field.default === undefined ? '' : `Default: \`${JSON.stringify(field.default)}\`.`;
    const meaning = [field.description, standard].filter(Boolean).join(' ');
    const row = `| \`${path}${key}\`${optional ? ' (optional)' : ''} | ${cell(typeOf(field))} | ${cell(meaning)} |`;
    return [row, ...inner(field, `${path}${key}`)];
  });
}

function inner(field: Schema, path: string): string[] {
  if (field.type === 'array' && field.items) return inner(field.items, `${path}[]`);
  const alternatives = field.anyOf ?? field.oneOf;
  if (alternatives) return alternatives.flatMap((one) => inner(one, path));
  const values = typeof field.additionalProperties === 'object' ? inner(field.additionalProperties, `${path}.*`) : [];
  return [...fields(field, `${path}.`), ...values];
}

function typeOf(field: Schema): string {
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``;
  if (field.enum) return field.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  const alternatives = field.anyOf ?? field.oneOf;
  if (alternatives) return [...new Set(alternatives.map(typeOf))].join(' or ');
  if (field.type === 'array') return `list of ${field.items ? typeOf(field.items) : 'anything'}`;
  if (field.format === 'date-time') return 'time, ISO 8601';
  if (field.type === 'integer') return 'whole number';
  if (field.type === 'object' && typeof field.additionalProperties === 'object' && !field.properties)
    return 'object by name';
  return [field.type ?? 'anything'].flat().join(' or ');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

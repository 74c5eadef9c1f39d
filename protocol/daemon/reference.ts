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
  const schema = schemaOf(type, io);
  const rows = fields(schema).map((field) => {
    const name = `\`${field.name}\`${field.optional ? ' (optional)' : ''}`;
    return `| ${name} | ${cell(field.type)} | ${cell(field.meaning)} |`;
  });
  if (rows.length === 0) return '';
  const table = [`${title}:`, '', '| field | type | meaning |', '|---|---|---|', ...rows].join('\n');
  return [table, ...choices(schema).map(choiceList)].join('\n\n');
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

interface Field {
  name: string;
  optional: boolean;
  type: string;
  meaning: string;
}

/** All fields; those of inner objects follow under their paths. Those of a choice have a list of their own. */
function fields(schema: Schema, path = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const optional = !schema.required?.includes(key) && field.default === undefined;
    const standard = field.default === undefined ? '' : `Default: \`${JSON.stringify(field.default)}\`.`;
    const meaning = [field.description, standard].filter(Boolean).join(' ');
    const name = `${path}${key}`;
    return [{ name, optional, type: typeOf(field), meaning }, ...inner(field, name).flatMap((at) => fields(...at))];
  });
}

/** The objects in a field, each with the path before its fields. */
function inner(field: Schema, path: string): [Schema, string][] {
  if (field.type === 'array' && field.items) return inner(field.items, `${path}[]`);
  if (choiceOf(field)) return [];
  const alternatives = field.anyOf ?? field.oneOf;
  if (alternatives) return alternatives.flatMap((one) => inner(one, path));
  const values = typeof field.additionalProperties === 'object' ? inner(field.additionalProperties, `${path}.*`) : [];
  return [[field, `${path}.`], ...values];
}

/** Objects of which a field is one; each has another value in the field `by`. */
interface Choice {
  path: string;
  by: string;
  objects: Schema[];
}

function choiceOf(field: Schema): Omit<Choice, 'path'> | undefined {
  const objects = field.anyOf ?? field.oneOf ?? [];
  const [first] = objects;
  const by = Object.keys(first?.properties ?? {}).find((key) =>
    objects.every(({ properties }) => properties?.[key]?.const !== undefined),
  );
  return by !== undefined && objects.length > 1 ? { by, objects } : undefined;
}

/** The choices among the fields of an object. */
function choices(schema: Schema, path = ''): Choice[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => choicesIn(field, `${path}${key}`));
}

function choicesIn(field: Schema, path: string): Choice[] {
  if (field.type === 'array' && field.items) return choicesIn(field.items, `${path}[]`);
  const choice = choiceOf(field);
  if (choice) return [{ path, ...choice }];
  return [...(field.anyOf ?? field.oneOf ?? []).flatMap((one) => choicesIn(one, path)), ...choices(field, `${path}.`)];
}

function choiceList({ path, by, objects }: Choice): string {
  return [`\`${path}\` is one of these, by \`${by}\`:`, '', ...objects.flatMap((one) => choiceLines(one, by, ''))].join(
    '\n',
  );
}

/** An object of a choice, and below it its other fields. */
function choiceLines(one: Schema, by: string, indent: string): string[] {
  const { [by]: own, ...properties } = one.properties ?? {};
  const rest = { ...one, properties };
  const value = `\`${JSON.stringify(own?.const)}\``;
  const told = one.description ?? own?.description;
  const lines = fields(rest).map(({ name, optional, type, meaning }) => {
    const about = meaning === '' ? '' : `. ${meaning.replaceAll('\n', ' ')}`;
    return `${indent}  - \`${name}\`${optional ? ' (optional)' : ''}: ${type}${about}`;
  });
  const deeper = choices(rest).flatMap((choice) => [
    `${indent}  - \`${choice.path}\` is one of these, by \`${choice.by}\`:`,
    ...choice.objects.flatMap((each) => choiceLines(each, choice.by, `${indent}    `)),
  ]);
  return [`${indent}- ${value}${told === undefined ? '' : `: ${told}`}`, ...lines, ...deeper];
}

function typeOf(field: Schema): string {
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``;
  if (field.enum) return field.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  const choice = choiceOf(field);
  if (choice) return `object, by \`${choice.by}\` (below)`;
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

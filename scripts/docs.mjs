// Writes the files that derive from declarations: docs/configuration.md and schema/*.json from the schemas of configurations and
// experiments, the texts for translators in l10n/ from the extension's code, docs/protocol.md from the messages, the list of lowered ops in docs/engine.md from the code. Option --check: writes nothing; fails if a file is out of date.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { build } from 'esbuild';
import { findTexts } from './l10nStrings.mjs';
import { putBetweenMarks } from './marks.mjs';

/** The exports of a TypeScript module. */
async function load(entry) {
  const bundle = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    banner,
  });
  const code = Buffer.from(bundle.outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${code}`);
}
const require = `import { createRequire } from 'node:module'; const require = createRequire('file://${process.cwd()}/');`;
const banner = { js: require };

const { configJsonSchema, configKinds } = await load('protocol/config/index.ts');
const { experimentJsonSchema } = await load('protocol/compare/experimentSchema.ts');
const { protocolReference } = await load('protocol/daemon/reference.ts');
const schema = configJsonSchema();
const kinds = configKinds.map((kind) => ({ kind, schema: configJsonSchema([kind]) }));

const text = (value) => (value === undefined ? '' : `\`${JSON.stringify(value).replaceAll(',', ', ')}\``);
const cell = (value) => value.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** The allowed values of a field, in words. */
function values(field) {
  if (field.enum) return field.enum.map((value) => text(value)).join(', ');
  if ('const' in field) return text(field.const);
  const several = field.anyOf ?? field.oneOf;
  if (several) return several.map(values).join(' or ');
  if (field.properties)
    return `{ ${Object.entries(field.properties)
      .map(([key, inner]) => `${key}: ${values(inner)}`)
      .join(', ')} }`;
  if (field.type === 'array' && Array.isArray(field.items)) {
    const items = field.items.map(values);
    return new Set(items).size === 1 ? `list of ${items.length}: ${items[0]}` : `list: ${items.join('; ')}`;
  }
  if (field.type === 'array') return `list of ${values(field.items)}s`;
  if (field.type === 'boolean') return '`true`, `false`';
  if (field.type === 'string') return field.pattern?.startsWith('^[^') ? 'path' : 'string';
  if (field.type === 'null') return '`null`';
  const kind = field.type === 'integer' ? 'whole number' : 'number';
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = field;
  const limits = [
    minimum === undefined ? '' : `≥ ${minimum}`,
    exclusiveMinimum === undefined ? '' : `> ${exclusiveMinimum}`,
    maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? '' : `≤ ${maximum}`,
    exclusiveMaximum === undefined ? '' : `< ${exclusiveMaximum}`,
  ].filter(Boolean);
  return [kind, ...limits].join(' ');
}

/** The fields of an object; fields of inner objects under their paths. */
function fields(properties, path = '') {
  return Object.entries(properties).flatMap(([key, field]) =>
    field.properties
      ? [{ name: path + key, field, heading: true }, ...fields(field.properties, `${path}${key}.`)]
      : [{ name: path + key, field, heading: false }],
  );
}

/** What a field means, and where its idea or default comes from. */
const meaning = ({ description, source }) => cell(`${description}${source ? ` Source: ${source}.` : ''}`);

function table(rows) {
  return [
    '| field | default | values | meaning |',
    '|---|---|---|---|',
    ...rows.map(({ name, field, heading }) =>
      heading
        ? `| \`${name}\` | | | ${meaning(field)} |`
        : `| \`${name}\` | ${cell(text(field.default))} | ${cell(values(field))} | ${meaning(field)} |`,
    ),
  ];
}

/** Fields that several kinds share are shown once. */
const shared = ['engine', 'checkpoint', 'records'];

function section([name, field], level = '###') {
  return ['', `${level} ${name}`, '', field.description, '', ...table(fields(field.properties))];
}

/** The fields of one kind of run. */
function chapter({ kind, schema: { properties } }) {
  const { $schema: _, ...all } = properties;
  const own = Object.entries(all).filter(([name]) => !shared.includes(name));
  const top = own.filter(([, field]) => !field.properties);
  return [
    '',
    `## ${kind.title.replace('UniMiSS ', '').replace(/^./, (letter) => letter.toUpperCase())}`,
    '',
    ...table(top.map(([name, field]) => ({ name, field, heading: false }))),
    ...own.filter(([, field]) => field.properties).flatMap((entry) => section(entry)),
  ];
}
const common = Object.entries(kinds[0].schema.properties).filter(([name]) => shared.includes(name));
const page = [
  '# Configuration',
  '',
  '<!-- Generated from protocol/config/ by `npm run docs`; change it there. -->',
  '',
  'A file `*.unimiss.jsonc` describes a run completely. It is JSON with comments and trailing commas. Its field `task` names the kind of run; without it, the run is a pre-training. Of that, only the location of the images is required:',
  '',
  '```jsonc',
  '{',
  '  // UniMiSS searches folders at any depth and detects 2D and 3D from the files',
  '  "data": { "paths": ["ct", "xray"] },',
  '  "model": { "preset": "tiny" },',
  '  "train": { "epochs": 200, "batch": { "2D": 8, "3D": 4 } },',
  '}',
  '```',
  '',
  'UniMiSS rejects unknown fields and invalid values. The error names the position and the closest valid value. A run keeps a copy of the file, and `config.resolved.json` with every field explicit, which is a valid configuration too.',
  '',
  'Editors with JSON Schema support complete and check the file with [`schema/unimiss.schema.json`](../schema/unimiss.schema.json).',
  ...kinds.flatMap(chapter),
  '',
  '## All runs',
  ...common.flatMap((entry) => section(entry)),
  '',
].join('\n');

const { loweredOps } = await load('daemon/engine/pjrt/lower/index.ts');
const lowered = ['| family | ops |', '|---|---|'];
for (const [family, ops] of Object.entries(loweredOps()))
  lowered.push(`| ${family} | ${ops.map((op) => `\`${op}\``).join(', ')} |`);

/** A page whose part between two marks is replaced. */
async function withPart(file, mark, part) {
  return putBetweenMarks(await readFile(file, 'utf8'), { file, mark, part });
}

const format = (file, input) =>
  execFileSync('node_modules/.bin/biome', ['format', `--stdin-file-path=${file}`], { input, encoding: 'utf8' });
const { translated } = findTexts();
const outputs = {
  'docs/configuration.md': page,
  'docs/protocol.md': protocolReference(),
  'docs/engine.md': await withPart('docs/engine.md', 'lowered ops', lowered.join('\n')),
  'l10n/bundle.l10n.json': format(
    'l10n/bundle.l10n.json',
    JSON.stringify(Object.fromEntries(translated.map((text) => [text, text])), undefined, 2),
  ),
  'schema/experiment.schema.json': format(
    'schema/experiment.schema.json',
    JSON.stringify(experimentJsonSchema(), undefined, 2),
  ),
  'schema/unimiss.schema.json': format('schema/unimiss.schema.json', JSON.stringify(schema, undefined, 2)),
};
const stale = [];
for (const [file, wanted] of Object.entries(outputs)) {
  if ((await readFile(file, 'utf8').catch(() => '')) === wanted) continue;
  stale.push(file);
  if (process.argv.includes('--check')) continue;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, wanted);
}
if (stale.length > 0 && process.argv.includes('--check')) {
  console.error(`Not up to date: ${stale.join(', ')}. Run \`npm run docs\`.`);
  process.exitCode = 1;
}

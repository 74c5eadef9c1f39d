import { expect, it } from 'vitest';
import { z } from 'zod';
import { configJsonSchema, configKinds, resolveConfig } from './index.ts';
import type { ConfigKind } from './kind.ts';
import { makeConfig } from './makeConfig.ts';
import { checkConfig, parseConfig } from './parseConfig.ts';
import { nameOf, type SharedConfig, sharedFields } from './shared.ts';

const schema = z.strictObject({
  task: z.literal('count'),
  name: nameOf('count'),
  upTo: z.union([z.int(), z.literal(false)]).describe('Where counting ends.'),
  ...sharedFields,
});
type Count = z.output<typeof schema>;

/** A kind of run that the product does not have. */
const count: ConfigKind<Count, Count & SharedConfig> = {
  task: 'count',
  title: 'Counting',
  schema,
  smallest: 'Write at least { "task": "count", "upTo": 3 }.',
  remedies: { upTo: 'Give a whole number, or false.' },
  template: '{ "task": "count", "upTo": 3 }',
  choiceFields: { name: 'name' },
  problems: ({ upTo }) => (upTo === 13 ? [{ path: ['upTo'], message: 'brings bad luck', remedy: 'Write 12.' }] : []),
  resolve: (config) => config,
  summary: () => ({ preset: 'none', epochs: 1 }),
};
const kinds = [...configKinds, count];
const problem = (text: string) => checkConfig(text, kinds).problems[0];

it('a configuration is of the kind that its task names, and of the first without', () => {
  const parsed = parseConfig('{ "task": "count", "upTo": 3 }', 'a', { kinds });
  expect(resolveConfig(parsed, { baseDir: '/' }, kinds)).toMatchObject({ task: 'count', name: 'count', upTo: 3 });
  expect(parseConfig('{ "data": { "paths": "ct" } }', 'a', { kinds }).task).toBe('pretrain');
});

it('mistakes are explained by the kind that they are made in', () => {
  expect(problem('{ "task": "count", "upTo": "x" }')).toMatchObject({
    field: 'upTo',
    remedy: 'Give a whole number, or false.',
  });
  expect(problem('{ "task": "count", "upTo": 3, "upto": 3 }')).toMatchObject({ remedy: 'Did you mean "upTo"?' });
  expect(problem('{ "task": "count", "upTo": 13 }')).toMatchObject({ message: 'brings bad luck', line: 1, column: 28 });
  expect(problem('{ "task": "count", "upTo": 3, "data": {} }')).toMatchObject({ message: 'unknown key "data"' });
});

it('an unknown task is named, with those that exist', () => {
  expect(problem('{ "task": "cuont" }')).toMatchObject({
    field: 'task',
    message: 'this version has no task "cuont"',
    remedy: 'Did you mean "count"? Valid: "pretrain", "finetune", "count".',
  });
});

it('a new file is made from the template of its kind, with the choices that the kind has a field for', () => {
  const made = makeConfig({ task: 'count', folders: ['/ct'], preset: 'nano', name: 'mine' }, kinds);
  expect(JSON.parse(made)).toEqual({ task: 'count', upTo: 3, name: 'mine' });
  const pretraining = makeConfig({ folders: ['/ct'], preset: 'nano', name: 'mine', device: 'cuda' }, kinds);
  expect(parseConfig(pretraining, 'a', { kinds })).toMatchObject({
    task: 'pretrain',
    name: 'mine',
    data: { paths: ['/ct'] },
    model: { preset: 'nano' },
    engine: { device: 'cuda' },
  });
  expect(pretraining).toMatch(/\/\/ cpu or cuda\n/);
  const finetuning = { task: 'finetune', preset: 'nano', name: 'organs' };
  expect(parseConfig(makeConfig({ ...finetuning, folders: ['/ct'] }, kinds), 'a', { kinds })).toMatchObject({
    ...{ task: 'finetune', name: 'organs', data: { path: '/ct' }, model: { preset: 'nano' } },
  });
  expect(parseConfig(makeConfig({ folders: ['/data/Chest CT (2024)/', '/xray'], preset: 'nano' }), 'a')).toMatchObject({
    ...{ name: 'Chest-CT-2024', train: { epochs: 20 } },
  });
  expect(() => makeConfig({ ...finetuning, folders: ['/ct', '/mr'] }, kinds)).toThrow(/one folder, but 2 are given/);
  expect(() => makeConfig({ task: 'cuont' }, kinds)).toThrow(/no task "cuont"[\s\S]*Did you mean "count"\?/);
});

it('the JSON Schema is that of any of the kinds', () => {
  expect(configJsonSchema(kinds)).toMatchObject({
    oneOf: [{ title: 'UniMiSS pre-training' }, { title: 'UniMiSS fine-tuning' }, { title: 'Counting' }],
  });
});

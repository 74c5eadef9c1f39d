import { expect, it } from 'vitest';
import { z } from 'zod';
import { configJsonSchema, configKinds, resolveConfig } from './index.ts';
import type { ConfigKind } from './kind.ts';
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

it('a task that is none is named with those that there are', () => {
  expect(problem('{ "task": "cuont" }')).toMatchObject({
    field: 'task',
    message: 'this version has no task "cuont"',
    remedy: 'Did you mean "count"? Valid: "pretrain", "finetune", "count".',
  });
});

it('the JSON Schema is that of any of the kinds', () => {
  expect(configJsonSchema(kinds)).toMatchObject({
    oneOf: [{ title: 'UniMiSS pre-training' }, { title: 'UniMiSS fine-tuning' }, { title: 'Counting' }],
  });
});

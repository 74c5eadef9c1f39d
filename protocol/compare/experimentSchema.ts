import { z } from 'zod';
import { finetuneKind } from '../config/finetune/index.ts';
import { configJsonSchema } from '../config/index.ts';
import type { ConfigKind } from '../config/kind.ts';
import { pretrainKind } from '../config/pretrain/index.ts';
import { isObject } from '../json.ts';
import { experimentSchema } from './experiment.ts';

type Schema = Record<string, unknown>;

/** JSON Schema (draft 7, as VS Code reads it) of a `*.experiment.jsonc` file. What arms and recipes change are parts of configurations. */
export function experimentJsonSchema(): Schema {
  const { $schema, ...rest } = z.toJSONSchema(experimentSchema, { target: 'draft-7', io: 'input' });
  const schema = structuredClone(rest) as Schema;
  const pretraining = { $ref: '#/definitions/pretraining' };
  Object.assign(at(schema, 'properties'), { base: { ...at(schema, 'properties', 'base'), ...pretraining } });
  Object.assign(at(schema, 'properties', 'arms'), { additionalProperties: pretraining });
  Object.assign(at(schema, 'properties', 'fineTuning', 'properties', 'recipe'), {
    additionalProperties: { $ref: '#/definitions/fineTuning' },
  });
  const definitions = { pretraining: partOf(pretrainKind), fineTuning: partOf(finetuneKind) };
  return { $schema, title: 'UniMiSS experiment', ...schema, definitions };
}

/** Fields that the experiment sets for each run. */
const setByExperiment = ['$schema', 'name', 'seed'];

/** The schema of a part of a configuration: nothing is required. */
function partOf(kind: ConfigKind): Schema {
  const { $schema: _, title: __, ...schema } = configJsonSchema([kind]);
  const part = withoutRequired(schema) as Schema;
  for (const field of setByExperiment) delete at(part, 'properties')[field];
  return part;
}

function withoutRequired(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutRequired);
  if (!isObject(node)) return node;
  const entries = Object.entries(node).filter(([key, value]) => !(key === 'required' && Array.isArray(value)));
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutRequired(value)]));
}

/** A part of a schema. @throws Error if it is missing: a defect */
function at(schema: Schema, ...path: string[]): Schema {
  return path.reduce<Schema>((inner, key) => {
    const found = inner[key];
    if (!isObject(found)) throw new Error(`the schema of experiments has no ${path.join('.')}`);
    return found;
  }, schema);
}

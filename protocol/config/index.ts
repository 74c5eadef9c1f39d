import { z } from 'zod';
import type { TaskName } from '../task.ts';
import { type FinetuneConfig, type FinetuneGiven, type FinetuneInput, finetuneKind } from './finetune/index.ts';
import { type ConfigKind, kindNamed, type ResolveOptions } from './kind.ts';
import { type PretrainConfig, type PretrainGiven, type PretrainInput, pretrainKind } from './pretrain/index.ts';
import type { SharedConfig } from './shared.ts';

export type { FinetuneConfig } from './finetune/index.ts';
export type { ConfigKind, ConfigProblem, ResolveOptions } from './kind.ts';
export type { PretrainConfig } from './pretrain/index.ts';
export type { SharedConfig } from './shared.ts';

/** The configurations of the product: one row per kind of run. A file without `task` is of the first kind. */
export const configKinds: readonly ConfigKind[] = [pretrainKind, finetuneKind];

/** A configuration with every choice made, by task. */
export type ResolvedConfig = { pretrain: PretrainConfig; finetune: FinetuneConfig }[TaskName];
/** A checked configuration with its defaults, before it is resolved. */
export type GivenConfig = PretrainGiven | FinetuneGiven;
/** A configuration as a user writes it. */
export type ConfigInput = PretrainInput | FinetuneInput;

/** The kind of run of a resolved configuration. @throws Error if the list lacks it: a defect */
export function kindOf({ task }: SharedConfig, kinds: readonly ConfigKind[] = configKinds): ConfigKind {
  const kind = kindNamed(task, kinds);
  if (!kind) throw new Error(`unknown task ${JSON.stringify(task)}`);
  return kind;
}

/** Makes every choice of a checked configuration explicit. Touches no file. */
export function resolveConfig<C extends SharedConfig = ResolvedConfig>(
  config: { readonly task: string },
  options: ResolveOptions,
  kinds: readonly ConfigKind[] = configKinds,
): C {
  return kindOf(config as SharedConfig, kinds).resolve(config, options) as C;
}

/** JSON Schema (draft 7, as VS Code reads it) of a `*.unimiss.jsonc` file: of one kind, or of several. */
export function configJsonSchema(kinds: readonly ConfigKind[] = configKinds): Record<string, unknown> {
  const [first, ...others] = kinds.map(({ schema, title }) => {
    const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
    return { $schema, title, ...rest };
  });
  if (!first || others.length === 0) return first ?? {};
  const { $schema } = first;
  return { $schema, title: 'UniMiSS', oneOf: [first, ...others].map(({ $schema: _, ...rest }) => rest) };
}

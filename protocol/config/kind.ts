import type { z } from 'zod';
import type { SharedConfig } from './shared.ts';

/** Something wrong with a configuration: where (path of keys), what, and what to do. */
export interface ConfigProblem {
  path: PropertyKey[];
  message: string;
  remedy?: string;
  /** JSON text that would be right in place of the value, if there is one that is likely meant. */
  replacement?: string;
}

export interface ResolveOptions {
  /** Relative paths start here: the folder of the configuration file. */
  baseDir: string;
  /** What `~` stands for. Default: the user's home. */
  home?: string;
  /** Our cache. Default: where the environment says. */
  cache?: string;
}

/** What a new configuration file is made from. */
export interface TemplateChoices {
  /** Folders with images. */
  readonly folders?: readonly string[] | undefined;
  /** Size of the network. */
  readonly preset?: string | undefined;
  /** Name of the run. */
  readonly name?: string | undefined;
  readonly device?: string | undefined;
}

/** The field of a kind's template that takes each choice, as `data.paths`. A choice without a field is not used. */
export interface ChoiceFields {
  /** Takes a list of folders. */
  readonly folders?: string;
  /** Takes a single folder. */
  readonly folder?: string;
  readonly preset?: string;
  readonly name?: string;
  readonly device?: string;
}

/** The part of a configuration that lists of runs show. */
export interface ConfigSummary {
  /** Size of the network. */
  readonly preset: string;
  /** Epochs of the whole run. */
  readonly epochs: number;
  /** Fine-tuning: absolute path of the weights that it starts with. */
  readonly from?: string | null;
  /** Series by whose value in validation the best checkpoint is chosen. */
  readonly score?: string;
  /** Slices of a volume in its preview pictures, if the run has volumes. */
  readonly slices?: number;
  /** What the pictures of an image in a preview show, in their order. Absent: its views. */
  readonly pictures?: readonly string[];
}

/** The kind that a configuration's field `task` names. Without the field, the first kind; undefined if no kind has the name. */
export function kindNamed(task: unknown, kinds: readonly ConfigKind[]): ConfigKind | undefined {
  return task === undefined ? kinds[0] : kinds.find((kind) => kind.task === task);
}

/** The configuration of one kind of run. `Given` has defaults filled in; `Resolved` has every choice made. */
export interface ConfigKind<Given = unknown, Resolved extends SharedConfig = SharedConfig> {
  /** Value of the field `task`. */
  readonly task: Resolved['task'];
  /** Title of its JSON Schema. */
  readonly title: string;
  readonly schema: z.ZodType<Given>;
  /** The smallest file that the schema accepts. */
  readonly smallest: string;
  /** What to do about a value that fits none of several types, by field (`data.paths`). */
  readonly remedies: Readonly<Record<string, string>>;
  /** A file with the usual choices, each with a comment. */
  readonly template: string;
  readonly choiceFields: ChoiceFields;
  /** Values that a new file of a preset has in place of the template's, by field. */
  readonly presetValues?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Values that are valid alone but not together. */
  problems(config: Given): ConfigProblem[];
  /** Makes every choice explicit. Touches no file. The result is a valid configuration; resolving it again does not change it. */
  resolve(config: Given, options: ResolveOptions): Resolved;
  summary(config: Resolved): ConfigSummary;
  /** Numbers that a run computes from its fields, beside the field that they follow from, as an editor shows them. */
  derived?(config: Resolved): { path: readonly string[]; text: string }[];
}

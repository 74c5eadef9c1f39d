import type { ConfigKind, SharedConfig } from '../../../protocol/config/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { JsonObject } from '../../../protocol/json.ts';
import type { Modality } from '../../../protocol/modality.ts';
import type { Limit, Series } from '../../../protocol/records/series.ts';
import type { Training } from '../../train/training.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import type { RunJournal } from '../records/runJournal.ts';
import type { RunEngine } from './openRunEngine.ts';
import type { Survey, SurveyOptions } from './survey.ts';

/** What opening a training needs. */
export interface OpenedOn {
  readonly run: RunFolder;
  readonly engine: RunEngine;
  readonly journal: RunJournal;
  /** Whether a checkpoint is loaded next; then first values do not matter. */
  readonly resumes: boolean;
  /** Reports the present preparation. */
  stage(what: string): void;
}

/** A kind of run. */
export interface Task<C extends SharedConfig = SharedConfig> {
  readonly config: ConfigKind<unknown, C>;
  /** The catalogue of its numbers. */
  readonly series: readonly Series[];
  /** Limits of its numbers under a configuration, by the key of a series of epochs. */
  limits?(config: C): Readonly<Record<string, readonly Limit[]>>;
  /**
   * Refuses a run that could not begin: checks its images and first weights. Takes seconds at most: loads no TensorFlow and reads
   * headers at most.
   * @throws UnimissError 'data' or 'checkpoint' with place and remedy
   */
  check(config: C): Promise<void>;
  /**
   * What a run would do and what looks wrong with it. Reads the headers of its images and loads no TensorFlow.
   * @throws UnimissError 'interrupted'; what would refuse the run is a concern
   */
  survey(config: C, options?: SurveyOptions): Promise<Survey>;
  /** The settings on which the duration of a group's steps depends: runs with equal ones take equally long on a machine. */
  stepKey(config: C, group: Modality | null): JsonObject;
  open(config: C, on: OpenedOn): Promise<Training>;
}

/** The configurations of these kinds. */
export function kindsOf(tasks: readonly Task[]): ConfigKind[] {
  return tasks.map(({ config }) => config);
}

/** The catalogue of a run's numbers. Empty for a kind that is not listed: its numbers appear under their keys. */
export function seriesFor({ task: name }: { readonly task: string }, tasks: readonly Task[]): readonly Series[] {
  return tasks.find(({ config }) => config.task === name)?.series ?? [];
}

/** The catalogue of a run with the limits of its numbers; without them if this version cannot read its configuration. */
export function seriesWithLimits(run: RunFolder, tasks: readonly Task[]): readonly Series[] {
  const limits = run.readable
    ? tasks.find(({ config }) => config.task === run.task)?.limits?.(run.config as SharedConfig)
    : undefined;
  return seriesFor(run, tasks).map((one) => {
    const own = one.of === 'epoch' ? limits?.[one.key] : undefined;
    return own ? { ...one, limits: own } : one;
  });
}

/** The kind of a run. @throws UnimissError 'config' if the list has none of its name */
export function taskOf({ task: name }: { readonly task: string }, tasks: readonly Task[]): Task {
  const task = tasks.find(({ config }) => config.task === name);
  if (task) return task;
  throw new UnimissError('config', `this version has no task "${name}"`, {
    place: 'task',
    remedy: `Valid: ${tasks.map(({ config }) => config.task).join(', ')}.`,
  });
}

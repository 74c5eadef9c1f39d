import { dirname } from 'node:path';
import { l10n } from 'vscode';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { standing } from '../describeRun.ts';
import type { UnreadableRun } from '../runStore.ts';

/** What the view "Runs" groups by: what runs are doing, or what they started from. */
export type GroupBy = 'state' | 'origin';

export const groupTitles = {
  active: l10n.t('Active'),
  queue: l10n.t('Queue'),
  finished: l10n.t('Finished'),
  ended: l10n.t('Stopped and Failed'),
  scratch: l10n.t('From scratch'),
  otherWeights: l10n.t('From other weights'),
} as const;
/** A group by its name here; an experiment is one of its own. */
export type GroupName = keyof typeof groupTitles | `experiment ${string}`;

export function groupTitle(group: GroupName): string {
  return isExperiment(group) ? l10n.t('Experiment {0}', group.slice(experimentPrefix.length)) : groupTitles[group];
}

const experimentPrefix = 'experiment ';

function isExperiment(group: string): group is `experiment ${string}` {
  return group.startsWith(experimentPrefix);
}

/** A row below a run. */
export type DetailName =
  | 'progress'
  | 'loss'
  | 'score'
  | 'warnings'
  | 'checkpoints'
  | 'evaluations'
  | 'configuration'
  | 'log'
  | 'unreadable';

export interface GroupElement {
  kind: 'group';
  group: GroupName;
}
/** A run by its folder, so that the element stays the same while the run goes on. */
export interface RunElement {
  kind: 'run';
  folder: string;
}
export interface DetailElement {
  kind: 'detail';
  folder: string;
  detail: DetailName;
}
/** A checkpoint by its step, so that it stays the same when others come and go; a warning or an evaluation by its place in the run's details. */
export interface EntryElement {
  kind: 'entry';
  folder: string;
  detail: 'warnings' | 'checkpoints' | 'evaluations';
  key: number;
}
export type Element = GroupElement | RunElement | DetailElement | EntryElement | UnreadableRun;

/** The same object for the same row, as a tree view wants it. */
export class Elements {
  private readonly known = new Map<string, Element>();

  group(group: GroupName): GroupElement {
    return this.keep(`group ${group}`, { kind: 'group', group });
  }
  run(folder: string): RunElement {
    return this.keep(`run ${folder}`, { kind: 'run', folder });
  }
  detail(folder: string, detail: DetailName): DetailElement {
    return this.keep(`${detail} ${folder}`, { kind: 'detail', folder, detail });
  }
  entry(folder: string, detail: EntryElement['detail'], key: number): EntryElement {
    return this.keep(`${detail} ${key} ${folder}`, { kind: 'entry', folder, detail, key });
  }

  private keep<E extends Element>(id: string, fresh: E): E {
    const known = this.known.get(id);
    if (known) return known as E;
    this.known.set(id, fresh);
    return fresh;
  }
}

/** The rows of the tree: groups and runs of a level, in their order. */
export interface Rows {
  groups: readonly GroupName[];
  /** Folders. */
  runs: readonly string[];
}

/**
 * The rows below `parent`; undefined: the first level. By state every run is in a group. By origin a fine-tuning is below the run
 * that it started from; from scratch, or from weights of no listed run, it is in a group. What started from no listed run and is part
 * of an experiment is in the group of the experiment.
 * @param runs in the order of the view
 */
export function rowsBelow(
  parent: GroupElement | RunElement | undefined,
  runs: readonly RunInfo[],
  groupBy: GroupBy,
): Rows {
  const groupOf = groupBy === 'state' ? stateGroup : originGroup(runs);
  if (parent?.kind === 'group')
    return {
      groups: [],
      runs: inOrder(runs.filter((run) => groupOf(run) === parent.group)).map(({ folder }) => folder),
    };
  if (parent) return { groups: [], runs: groupBy === 'state' ? [] : childrenOf(parent.folder, runs) };
  const used = new Set(runs.map(groupOf));
  const names = Object.keys(groupTitles) as (keyof typeof groupTitles)[];
  const experiments = [...used].filter(isExperiment).sort();
  return {
    groups: [...experiments, ...names.filter((name) => used.has(name))],
    runs: runs.filter((run) => groupOf(run) === 'top').map(({ folder }) => folder),
  };
}

/** Runs that wait, by their places in the queue; others as they are. */
function inOrder(runs: readonly RunInfo[]): RunInfo[] {
  return runs.toSorted((a, b) => (a.queue ?? 0) - (b.queue ?? 0));
}

function stateGroup(run: RunInfo): GroupName {
  switch (standing(run)) {
    case 'queued':
      return 'queue';
    case 'finished':
      return 'finished';
    case 'stopped':
    case 'interrupted':
    case 'failed':
    case 'new':
      return 'ended';
    default:
      return 'active';
  }
}

/** `top`: on the first level. `below`: below another run. */
function originGroup(runs: readonly RunInfo[]): (run: RunInfo) => GroupName | 'top' | 'below' {
  return (run) => {
    if (parentOf(run, runs) !== undefined) return 'below';
    if (run.experiment !== undefined) return `${experimentPrefix}${run.experiment}`;
    if (run.task !== 'finetune') return 'top';
    return run.from === null ? 'scratch' : 'otherWeights';
  };
}

function childrenOf(folder: string, runs: readonly RunInfo[]): string[] {
  return runs.filter((run) => parentOf(run, runs) === folder).map((run) => run.folder);
}

/** The listed run whose weights, or a checkpoint of which, a fine-tuning started from. */
export function parentOf({ from, folder }: RunInfo, runs: readonly RunInfo[]): string | undefined {
  if (from === null) return undefined;
  const places = [from, dirname(dirname(from))]; // RUN, or RUN/checkpoints/step-….safetensors
  return runs.find((run) => run.folder !== folder && places.includes(run.folder))?.folder;
}

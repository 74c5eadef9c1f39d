import { l10n } from 'vscode';
import { modalities } from '../../protocol/modality.ts';
import { seriesOf } from '../../protocol/records/series.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { thousands } from '../../protocol/words.ts';

/** The actions that a run allows now; also the words in a tree item's context value, by which package.json shows its actions. */
export type RunAction = 'resume' | 'continue' | 'pause' | 'stop' | 'cancel' | 'forward' | 'kill' | 'delete';

/** The status of a run, for texts and icons: its activity in the daemon, else its state. */
export function standing({ activity, state }: RunInfo): NonNullable<RunInfo['activity']> | RunInfo['state'] {
  return activity ?? state;
}

export function actionsOf(run: RunInfo): RunAction[] {
  if (run.owner === 'other') return [];
  switch (run.activity) {
    case 'queued':
      return (run.queue ?? 1) > 1 ? ['cancel', 'forward'] : ['cancel'];
    case 'starting':
      return ['stop', 'kill'];
    case 'training':
      return ['pause', 'stop', 'kill'];
    case 'paused':
      return ['continue', 'stop', 'kill'];
    case 'stopping':
      return ['kill'];
    case null:
      return run.state === 'running' ? [] : run.state === 'finished' ? ['delete'] : ['resume', 'delete'];
  }
}

/** Whether the run is doing something that will end by itself. */
export function isActive(run: RunInfo): boolean {
  return run.activity !== null || run.state === 'running';
}

/** 0 to 1; undefined before the first step. */
export function shareDone({ progress }: RunInfo): number | undefined {
  return progress && progress.totalSteps > 0 ? progress.step / progress.totalSteps : undefined;
}

/** `42 % · 4 min left · loss 6.91 · epoch 3 of 8`: what matters most comes first, since a narrow view cuts the end. */
export function describeRun(run: RunInfo): string {
  const { progress, stage, queue } = run;
  const share = shareDone(run);
  const epochs = progress
    ? l10n.t('epoch {0} of {1}', thousands(progress.epoch + 1), thousands(progress.totalEpochs))
    : run.epoch === null
      ? undefined
      : l10n.t('epoch {0} of {1}', thousands(run.epoch + 1), thousands(run.epochs));
  const reached = [run.score ? scoreText(run.score) : undefined, lossText(run)];
  switch (standing(run)) {
    case 'queued':
      return queue === 1 ? l10n.t('queued, next') : l10n.t('queued, position {0} in the queue', queue ?? '?');
    case 'starting':
      return stage ?? 'starting';
    case 'training':
      return join(
        share === undefined ? 'training' : percent(share),
        timeLeft(progress?.secondsLeft),
        ...reached,
        epochs,
      );
    case 'running':
      return join('training in another process', ...reached, epochs);
    case 'new':
      return l10n.t('not started');
    default:
      return join(standing(run), ...reached, epochs);
  }
}

/** `74 % (+3 queued)`, `2 runs`; empty where no run is active. */
export function inShort(active: readonly RunInfo[]): string {
  const queued = active.filter(({ activity }) => activity === 'queued');
  const [first, ...others] = active.filter(({ activity }) => activity !== 'queued');
  if (!first) return queued.length === 0 ? '' : l10n.t('{0} queued', queued.length);
  const share = shareDone(first);
  const state = first.activity === 'training' && share !== undefined ? percent(share) : first.activity;
  const now =
    others.length > 0 ? l10n.t('{0} runs', others.length + 1) : (state ?? l10n.t('training in another process'));
  return queued.length === 0 ? now : l10n.t('{0} (+{1} queued)', now, queued.length);
}

export function percent(share: number): string {
  return `${Math.floor(100 * share)} %`;
}

/** `45 s left`, `4 min left`, `2 h 5 min left`, `3 days left` */
export function timeLeft(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  if (seconds < 60) return l10n.t('{0} s left', Math.ceil(seconds));
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return l10n.t('{0} min left', minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 48)
    return minutes % 60 === 0 ? l10n.t('{0} h left', hours) : l10n.t('{0} h {1} min left', hours, minutes % 60);
  return l10n.t('{0} days left', Math.round(hours / 24));
}

/** `loss 5.71 (2D) · 24.9 (3D)`: the levels of the modalities differ. `loss 6.91` where a run has no modalities. */
export function lossText({ losses, loss, progress }: RunInfo): string | undefined {
  const each = modalities.flatMap((modality) => {
    const value = losses[modality];
    return value === undefined ? [] : [`${value.toPrecision(3)} (${modality})`];
  });
  const latest = progress?.loss ?? loss;
  if (each.length > 0) return l10n.t('loss {0}', each.join(' · '));
  return latest === null ? undefined : l10n.t('loss {0}', latest.toPrecision(3));
}

/** `Dice 0.871` */
export function scoreText({ series, value }: { series: string; value: number }): string {
  return `${seriesTitle(series)} ${value.toFixed(3)}`;
}

/** `Dice`, `AUC`: a number of fine-tuning in a word. */
export function seriesTitle(key: string): string {
  const found = seriesOf.finetune.find((series) => series.key === key);
  return found?.title.replace(/^Mean /, '') ?? key;
}

/** A name of at most 30 characters, shortened in its middle: names often differ at their ends, and a long one hides the rest. */
export function shortName(name: string): string {
  const most = 30;
  return name.length <= most ? name : `${name.slice(0, most / 2 - 1)}…${name.slice(-most / 2)}`;
}

function join(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(' · ');
}

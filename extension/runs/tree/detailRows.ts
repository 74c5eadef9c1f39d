import { basename } from 'node:path';
import { type Command, l10n, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState } from 'vscode';
import type { RunDetails } from '../../../protocol/runs/detailsMessages.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { dateText, humanBytes, thousands } from '../../../protocol/words.ts';
import { lossText, scoreText, seriesTitle, timeLeft } from '../describeRun.ts';
import type { DetailElement, DetailName, EntryElement } from './elements.ts';

/** The rows below a run. What it has not, has no row. */
export function detailNames(run: RunInfo, details: RunDetails | undefined): DetailName[] {
  const rows: [DetailName, boolean][] = [
    ['progress', progressText(run) !== undefined],
    ['score', run.score !== null],
    ['loss', lossText(run) !== undefined],
    ['warnings', (details?.warningCount ?? 0) > 0],
    ['checkpoints', (details?.checkpoints.length ?? 0) > 0],
    ['evaluations', (details?.evaluations.length ?? 0) > 0],
    ['configuration', details !== undefined],
    ['log', true],
    ['unreadable', details === undefined],
  ];
  return rows.flatMap(([name, shown]) => (shown ? [name] : []));
}

/** `epoch 3 of 8 · step 120 of 800 · 4 min left`; how far it was, for a run that has ended. */
export function progressText({ progress, epoch, epochs, step }: RunInfo): string | undefined {
  const parts = progress
    ? [
        l10n.t('epoch {0} of {1}', thousands(progress.epoch + 1), thousands(progress.totalEpochs)),
        l10n.t('step {0} of {1}', thousands(progress.step), thousands(progress.totalSteps)),
        timeLeft(progress.secondsLeft),
      ]
    : epoch === null
      ? []
      : [
          l10n.t('epoch {0} of {1}', thousands(epoch + 1), thousands(epochs)),
          step === null ? undefined : l10n.t('step {0}', thousands(step + 1)),
        ];
  const text = parts.filter((part) => part !== undefined).join(' · ');
  return text === '' ? undefined : text;
}

export function detailItem({ detail, folder }: DetailElement, run: RunInfo, details: RunDetails | undefined): TreeItem {
  const row = (label: string, description: string | undefined, icon: string, command?: Command) => {
    const item = new TreeItem(label);
    item.description = description ?? '';
    item.iconPath = new ThemeIcon(icon);
    item.accessibilityInformation = { label: description ? `${label}: ${description}` : label };
    if (command) item.command = command;
    return item;
  };
  const list = (label: string, description: string, icon: string) => {
    const item = row(label, description, icon);
    item.collapsibleState = TreeItemCollapsibleState.Collapsed;
    return item;
  };
  const on = (command: string, title: string): Command => ({ command, title, arguments: [{ folder }] });
  const item = (() => {
    switch (detail) {
      case 'progress':
        return row(l10n.t('Progress'), progressText(run), 'dashboard');
      case 'score':
        return row(...scoreRow(run));
      case 'loss':
        return row(l10n.t('Loss'), lossText(run)?.replace(/^loss /, ''), 'graph-line');
      case 'warnings': {
        const warnings = list(l10n.t('Warnings'), String(details?.warningCount ?? 0), 'warning');
        warnings.iconPath = new ThemeIcon('warning', new ThemeColor('list.warningForeground'));
        return warnings;
      }
      case 'checkpoints': {
        const all = details?.checkpoints ?? [];
        const bytes = all.reduce((sum, one) => sum + one.bytes, 0);
        return list(
          l10n.t('Checkpoints'),
          l10n.t('{0} · {1} · newest at step {2}', all.length, humanBytes(bytes), thousands(all[0]?.step ?? 0)),
          'save',
        );
      }
      case 'evaluations':
        return list(l10n.t('Evaluations'), String(details?.evaluations.length ?? 0), 'beaker');
      case 'configuration':
        return row(
          l10n.t('Configuration'),
          undefined,
          'json',
          on('unimiss.openConfiguration', l10n.t('Open Configuration')),
        );
      case 'log':
        return row(l10n.t('Log'), undefined, 'output', on('unimiss.showLog', l10n.t('Show Log')));
      case 'unreadable':
        return row(l10n.t('The background server does not say what else this run has'), undefined, 'warning');
    }
  })();
  item.id = `${detail} ${folder}`;
  item.contextValue = `detail ${detail}`;
  return item;
}

function scoreRow({ score }: RunInfo): [label: string, description: string | undefined, icon: string] {
  const label = score ? seriesTitle(score.series) : l10n.t('Validation');
  return [
    label,
    score ? l10n.t('{0} after epoch {1}', score.value.toFixed(3), thousands(score.epoch + 1)) : undefined,
    'target',
  ];
}

export function entryItem({ detail, folder, key }: EntryElement, details: RunDetails | undefined): TreeItem {
  const item = entry(detail, folder, key, details);
  item.id = `${detail} ${key} ${folder}`;
  item.contextValue ??= `entry ${detail}`;
  const description = typeof item.description === 'string' ? item.description : '';
  item.accessibilityInformation = { label: [item.label, description].filter(Boolean).join(', ') };
  return item;
}

function entry(detail: EntryElement['detail'], folder: string, key: number, details?: RunDetails): TreeItem {
  if (detail === 'warnings') {
    const warning = details?.warnings[key];
    const item = new TreeItem(warning?.message ?? '');
    item.description = warning ? l10n.t('step {0}', thousands(warning.step)) : '';
    item.tooltip = [warning?.message, warning?.advice].filter(Boolean).join('\n');
    item.command = { command: 'unimiss.openMetrics', title: 'Open Metrics', arguments: [{ folder }] };
    return item;
  }
  if (detail === 'checkpoints') {
    const checkpoint = details?.checkpoints.find(({ step }) => step === key);
    const item = new TreeItem(checkpoint ? l10n.t('Step {0}', thousands(checkpoint.step)) : '');
    const { score, best, bytes, pinned } = checkpoint ?? { score: null, best: false, bytes: 0, pinned: false };
    const parts = [
      best ? 'best' : undefined,
      pinned ? 'pinned' : undefined,
      score ? scoreText(score) : undefined,
      humanBytes(bytes),
    ];
    item.description = parts.filter((part) => part !== undefined).join(' · ');
    item.tooltip = checkpoint?.file ?? '';
    item.iconPath = new ThemeIcon(pinned ? 'pinned' : best ? 'star-full' : 'circle-small');
    // By these words, package.json shows its actions.
    const age = checkpoint === details?.checkpoints[0] ? 'newest' : 'older';
    item.contextValue = ['entry checkpoints', pinned ? 'pinned' : 'free', age].join(' ');
    return item;
  }
  const evaluation = details?.evaluations[key];
  const [split = '', step] = evaluation?.name.split('-') ?? [];
  const item = new TreeItem(step ? l10n.t('{0}, step {1}', split, step) : basename(evaluation?.name ?? ''));
  item.description = evaluation ? dateText(evaluation.time) : '';
  item.iconPath = new ThemeIcon('book');
  if (evaluation) {
    item.tooltip = evaluation.report;
    const argument = { folder, report: evaluation.report };
    item.command = { command: 'unimiss.openEvaluation', title: 'Open Evaluation Report', arguments: [argument] };
  }
  return item;
}

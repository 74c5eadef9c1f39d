import { l10n, MarkdownString, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState, Uri } from 'vscode';
import { forEditor } from '../../../protocol/editorWords.ts';
import { parseAddress } from '../../../protocol/machines/address.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { dateText, shortDateText } from '../../../protocol/words.ts';
import { actionsOf, describeRun, isActive, shortName, standing } from '../describeRun.ts';
import type { UnreadableRun } from '../runStore.ts';
import { type GroupName, groupTitle } from './elements.ts';

const icons: Record<ReturnType<typeof standing>, [icon: string, color?: string]> = {
  new: ['circle-outline'],
  queued: ['clock'],
  starting: ['loading~spin'],
  training: ['sync~spin', 'charts.blue'],
  running: ['sync~spin', 'charts.blue'],
  paused: ['debug-pause', 'charts.yellow'],
  stopping: ['loading~spin'],
  stopped: ['circle-slash'],
  interrupted: ['debug-disconnect', 'list.warningForeground'],
  failed: ['error', 'list.errorForeground'],
  finished: ['pass', 'testing.iconPassed'],
};

const kinds: Readonly<Record<string, string>> = { pretrain: 'pre-training', finetune: 'fine-tuning' };

/** The kind of a run in words. */
export function kindText({ task }: Pick<RunInfo, 'task'>): string {
  return kinds[task] ?? task;
}

export function groupItem(group: GroupName, runs: number): TreeItem {
  const item = new TreeItem(groupTitle(group), TreeItemCollapsibleState.Expanded);
  item.id = `group ${group}`;
  item.description = String(runs);
  item.contextValue = 'group';
  item.accessibilityInformation = {
    label: `${groupTitle(group)}, ${runs === 1 ? l10n.t('1 run') : l10n.t('{0} runs', runs)}`,
  };
  return item;
}

/** @param parent the run that it started from, if that is listed */
export function runItem(run: RunInfo, parent: RunInfo | undefined): TreeItem {
  const item = new TreeItem(shortName(run.name), TreeItemCollapsibleState.Collapsed);
  item.id = `run ${run.folder}`;
  // Distinguishes runs of the same name.
  const ended = isActive(run) ? [] : [shortDateText(run.created)];
  // Its group and icon say that a run has finished; a narrow view cuts the end.
  const { machine } = parseAddress(run.folder);
  const where = machine === undefined ? [] : [machine];
  item.description = [...where, describeRun(run).replace(/^finished · /, ''), ...ended].join(' · ');
  const [icon, color] = icons[standing(run)];
  item.iconPath = new ThemeIcon(icon, color ? new ThemeColor(color) : undefined);
  item.contextValue = ['run', run.task, ...actionsOf(run)].join(' ');
  item.tooltip = tooltip(run, parent);
  const described = [...where.map((host) => l10n.t('on {0}', host)), describeRun(run), ...ended].join(' · ');
  item.accessibilityInformation = {
    label: [run.name, kindText(run), ...(parent ? [l10n.t('from {0}', parent.name)] : []), described].join(', '),
  };
  item.command = { command: 'unimiss.openMetrics', title: 'Open Metrics', arguments: [{ folder: run.folder }] };
  return item;
}

function tooltip(run: RunInfo, parent: RunInfo | undefined): MarkdownString {
  const text = new MarkdownString();
  const line = (name: string, value: string | undefined | null) => {
    if (value) text.appendMarkdown(`**${name}** `).appendText(value).appendMarkdown('\n\n');
  };
  line(l10n.t('Run'), run.id);
  line(l10n.t('Kind'), kindText(run));
  line(l10n.t('From'), parent?.id ?? run.from);
  line(l10n.t('State'), describeRun(run));
  line(l10n.t('Network'), [run.preset, ...run.devices.map((device) => `on ${device}`)].join(', '));
  line(l10n.t('Started'), `${dateText(run.created)} (${run.created})`);
  line(l10n.t('Last update'), `${dateText(run.updated)} (${run.updated})`);
  line(l10n.t('Ended'), run.ending && forEditor(run.ending.message));
  const { machine, path } = parseAddress(run.folder);
  line(l10n.t('Machine'), machine);
  line(l10n.t('Folder'), path);
  return text;
}

export function unreadableItem({ folder, message }: UnreadableRun): TreeItem {
  const item = new TreeItem(Uri.file(folder));
  item.description = l10n.t('cannot be read');
  item.tooltip = forEditor(message);
  item.iconPath = new ThemeIcon('warning', new ThemeColor('list.warningForeground'));
  item.contextValue = 'unreadable';
  return item;
}

import { l10n } from 'vscode';
import type { MachineStatus } from '../../protocol/daemon/messages.ts';
import { humanBytes } from '../../protocol/words.ts';
import type { ConnectionState } from '../client/daemonClient.ts';
import { NoDaemonHere } from '../client/noDaemonHere.ts';

type Gpu = MachineStatus['gpus'][number];

/** A row of the view "Machines". */
export interface Row {
  label: string;
  description: string;
  /** Of VS Code's icons. */
  icon: string;
  below: Row[];
}

/** `connected · GPU 37 % · 12.0 GiB of 79.6 GiB · 41 °C`: the state, and the busiest GPU or the processors. */
export function describeMachine(state: ConnectionState, status: MachineStatus | undefined): string {
  switch (state.kind) {
    case 'idle':
      return l10n.t('not connected');
    case 'connecting':
      return state.again ? l10n.t('reconnecting; its runs continue') : l10n.t('connecting');
    case 'failed':
      return state.error instanceof NoDaemonHere
        ? l10n.t('only views: nothing trains here')
        : l10n.t('cannot be reached');
    case 'connected': {
      if (!status) return l10n.t('connected');
      const [first, ...others] = [...status.gpus].sort((a, b) => (b.use ?? 0) - (a.use ?? 0));
      const holders = new Set(
        status.gpus.flatMap((gpu) => gpu.holders.map((holder) => holder.user ?? l10n.t('unknown'))),
      );
      const busy = first ? describeGpu(first) : l10n.t('no GPU · load {0}', loadText(status));
      const gpu =
        first && others.length > 0
          ? l10n.t('busiest of {0} GPUs {1}', status.gpus.length, busy)
          : first
            ? l10n.t('GPU {0}', busy)
            : busy;
      return [gpu, holders.size > 0 ? l10n.t('used by {0}', [...holders].join(', ')) : undefined]
        .filter(Boolean)
        .join(' · ');
    }
  }
}

/** `37 % · 12.0 GiB of 79.6 GiB · 41 °C`; what is unknown is absent. */
export function describeGpu({ use, memory, temperature }: Gpu): string {
  return [
    use === null ? undefined : `${Math.round(100 * use)} %`,
    memory === null ? undefined : l10n.t('{0} of {1}', humanBytes(memory.used), humanBytes(memory.total)),
    temperature === null ? undefined : `${Math.round(temperature)} °C`,
  ]
    .filter((part) => part !== undefined)
    .join(' · ');
}

/** Daemons of other versions, which stay for their runs. */
export function retiredRows(retired: readonly { pid: number; version: string; runs: readonly string[] }[]): Row[] {
  return retired.map(({ pid, version, runs }) => ({
    label: l10n.t('Background server {0}, process {1}', version, pid),
    description: runs.length === 1 ? l10n.t('stays until 1 run ends') : l10n.t('stays until {0} runs end', runs.length),
    icon: 'versions',
    below: runs.map((run) => ({ label: run.replace(/^.*\//, ''), description: run, icon: 'graph-line', below: [] })),
  }));
}

/** What is below a machine: its GPUs with the processes that hold them, processors, memory, disk, and the user's active runs. */
export function rowsOf(status: MachineStatus): Row[] {
  const { gpus, noGpu, memory, disk, runs } = status;
  const row = (label: string, description: string, icon: string, below: Row[] = []): Row => ({
    ...{ label, description, icon, below },
  });
  const cards = gpus.map((gpu) =>
    row(
      l10n.t('GPU {0}: {1}', gpu.index, gpu.name),
      describeGpu(gpu) || l10n.t('use unknown'),
      'circuit-board',
      gpu.holders.map(({ user, program, run, pid, memory: held }) =>
        row(
          run ?? l10n.t('{0}, process {1}', program, pid),
          [user ?? l10n.t('unknown user'), held === null ? undefined : humanBytes(held)].filter(Boolean).join(' · '),
          run ? 'graph-line' : 'account',
        ),
      ),
    ),
  );
  return [
    ...cards,
    ...(noGpu === null ? [] : [row(l10n.t('No GPU'), noGpu, 'circle-slash')]),
    row(l10n.t('Processors'), l10n.t('load {0}', loadText(status)), 'chip'),
    row(l10n.t('Memory'), l10n.t('{0} of {1} free', humanBytes(memory.available), humanBytes(memory.total)), 'server'),
    row(l10n.t('Disk of runs'), l10n.t('{0} of {1} free', humanBytes(disk.free), humanBytes(disk.total)), 'database'),
    ...runs.map(({ id, activity, devices }) => row(id, `${activity} · ${devices.join(', ')}`, 'graph-line')),
  ];
}

function loadText({ cpus }: MachineStatus): string {
  return l10n.t('{0} of {1}', cpus.load.toFixed(1), cpus.count);
}

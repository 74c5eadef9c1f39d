import type { MachineStatus } from '../../protocol/daemon/messages.ts';
import { humanBytes } from '../../protocol/words.ts';
import type { ConnectionState } from '../client/daemonClient.ts';

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
      return 'not connected';
    case 'connecting':
      return state.again ? 'reconnecting; its runs continue' : 'connecting';
    case 'failed':
      return 'cannot be reached';
    case 'connected': {
      if (!status) return 'connected';
      const [first, ...others] = [...status.gpus].sort((a, b) => (b.use ?? 0) - (a.use ?? 0));
      const holders = new Set(status.gpus.flatMap((gpu) => gpu.holders.map((holder) => holder.user ?? 'unknown')));
      const busy = first ? describeGpu(first) : `no GPU · load ${loadText(status)}`;
      const gpu =
        first && others.length > 0 ? `busiest of ${status.gpus.length} GPUs ${busy}` : first ? `GPU ${busy}` : busy;
      return [gpu, holders.size > 0 ? `used by ${[...holders].join(', ')}` : undefined].filter(Boolean).join(' · ');
    }
  }
}

/** `37 % · 12.0 GiB of 79.6 GiB · 41 °C`; what is unknown is absent. */
export function describeGpu({ use, memory, temperature }: Gpu): string {
  return [
    use === null ? undefined : `${Math.round(100 * use)} %`,
    memory === null ? undefined : `${humanBytes(memory.used)} of ${humanBytes(memory.total)}`,
    temperature === null ? undefined : `${Math.round(temperature)} °C`,
  ]
    .filter((part) => part !== undefined)
    .join(' · ');
}

/** What is below a machine: its GPUs with the processes that hold them, processors, memory, disk, and the user's active runs. */
export function rowsOf(status: MachineStatus): Row[] {
  const { gpus, noGpu, memory, disk, runs } = status;
  const row = (label: string, description: string, icon: string, below: Row[] = []): Row => ({
    ...{ label, description, icon, below },
  });
  const cards = gpus.map((gpu) =>
    row(
      `GPU ${gpu.index}: ${gpu.name}`,
      describeGpu(gpu) || 'use unknown',
      'circuit-board',
      gpu.holders.map(({ user, program, run, pid, memory: held }) =>
        row(
          run ?? `${program}, process ${pid}`,
          [user ?? 'unknown user', held === null ? undefined : humanBytes(held)].filter(Boolean).join(' · '),
          run ? 'graph-line' : 'account',
        ),
      ),
    ),
  );
  return [
    ...cards,
    ...(noGpu === null ? [] : [row('No GPU', noGpu, 'circle-slash')]),
    row('Processors', `load ${loadText(status)}`, 'chip'),
    row('Memory', `${humanBytes(memory.available)} of ${humanBytes(memory.total)} free`, 'server'),
    row('Disk of runs', `${humanBytes(disk.free)} of ${humanBytes(disk.total)} free`, 'database'),
    ...runs.map(({ id, activity, devices }) => row(id, `${activity} · ${devices.join(', ')}`, 'graph-line')),
  ];
}

function loadText({ cpus }: MachineStatus): string {
  return `${cpus.load.toFixed(1)} of ${cpus.count}`;
}

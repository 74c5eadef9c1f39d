import type { ExtensionContext } from 'vscode';

const trained = 'unimiss.training';
const connected = 'unimiss.connectedMachines';

type Kept = Pick<ExtensionContext, 'globalState'>;

/** Whether a run was active when a window last looked. If so, a new window looks again by itself. */
export function trainedWhenLastSeen({ globalState }: Kept): boolean {
  return globalState.get<boolean>(trained, false);
}

export async function keepTrained({ globalState }: Kept, now: boolean): Promise<void> {
  await globalState.update(trained, now);
}

/** Hosts that were connected when a window last looked. A new window connects to them again. */
export function connectedWhenLastSeen({ globalState }: Kept): readonly string[] {
  return globalState.get<string[]>(connected, []);
}

export async function keepConnected({ globalState }: Kept, hosts: readonly string[]): Promise<void> {
  await globalState.update(connected, hosts);
}

/**
 * Does something at the first Ctrl-C (or SIGTERM) until it is disposed. A second Ctrl-C ends the process at once, as without us:
 * nothing that matters is lost, since files are renamed into place when they are whole.
 */
export function onInterrupt(action: (signal: 'SIGINT' | 'SIGTERM') => void): { dispose(): void } {
  const dispose = () => {
    for (const signal of signals) process.off(signal, first);
  };
  const first = (signal: NodeJS.Signals) => {
    dispose();
    action(signal === 'SIGTERM' ? signal : 'SIGINT');
  };
  for (const signal of signals) process.on(signal, first);
  return { dispose };
}

/** A signal that is aborted by the first Ctrl-C (or SIGTERM). */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  onInterrupt(() => controller.abort());
  return controller.signal;
}

const signals = ['SIGINT', 'SIGTERM'] as const;

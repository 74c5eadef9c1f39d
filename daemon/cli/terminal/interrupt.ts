/**
 * Does something at the first Ctrl-C (or SIGTERM) until it is disposed. A second Ctrl-C ends the process at once, as by default.
 * That is safe, since files are renamed into place when complete.
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

/** A signal that the first Ctrl-C (or SIGTERM) aborts. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  onInterrupt(() => controller.abort());
  return controller.signal;
}

const signals = ['SIGINT', 'SIGTERM'] as const;

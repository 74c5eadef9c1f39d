import { writeError } from './reporter.ts';

/**
 * Does something at the first Ctrl-C (or SIGTERM) until it is disposed. A second one says what becomes of the work, and ends the
 * process by that signal, as it does by default. That is safe, since files are renamed into place when complete.
 * @param second what the user reads then
 */
export function onInterrupt(action: (signal: 'SIGINT' | 'SIGTERM') => void, second: () => string): { dispose(): void } {
  let interrupted = false;
  const dispose = () => {
    for (const signal of signals) process.off(signal, listen);
  };
  const listen = (given: NodeJS.Signals) => {
    const signal = given === 'SIGTERM' ? given : 'SIGINT';
    if (!interrupted) {
      interrupted = true;
      action(signal);
      return;
    }
    dispose();
    writeError(second());
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.on(signal, listen);
  return { dispose };
}

/** A signal that the first Ctrl-C (or SIGTERM) aborts. @param second what the user reads at the second one */
export function interruptSignal(second: string): AbortSignal {
  const controller = new AbortController();
  onInterrupt(
    () => controller.abort(),
    () => second,
  );
  return controller.signal;
}

const signals = ['SIGINT', 'SIGTERM'] as const;

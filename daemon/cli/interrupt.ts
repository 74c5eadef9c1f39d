/**
 * A signal that is aborted by the first Ctrl-C (or SIGTERM). A second Ctrl-C ends the process at once, as without us: nothing
 * that matters is lost, since files are renamed into place when they are whole.
 */
export function interruptSignal(onFirst?: () => void): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      controller.abort();
      onFirst?.();
    });
  return controller.signal;
}

import { currentSession } from '../current.ts';

/** Whether oneDNN's fused ops exist: in graphs on x86-64 processors. XLA fuses by itself. */
export function hasFusedOps(): boolean {
  const { executor, options } = currentSession();
  return executor === 'graph' && options.device === 'cpu' && process.arch === 'x64';
}

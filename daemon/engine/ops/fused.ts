import { currentSession } from '../current.ts';

/** Whether oneDNN's fused ops exist: in graphs on x86-64 processors. */
export function hasFusedOps(): boolean {
  const { executor, platform } = currentSession();
  return platform.traits.fusedOps.includes(executor);
}

import { readFileSync } from 'node:fs';

/**
 * Milliseconds in which the main threads of these processes could have run, but other programs had the processor, since they
 * began. The time of an answer minus this is the processes' own time, including blocked time, which does not depend on other
 * load. Linux reports it (CONFIG_SCHED_INFO); elsewhere 0.
 */
export function keptWaiting(...pids: number[]): number {
  return pids.reduce((sum, pid) => sum + waitedOf(pid), 0) / 1e6;
}

/** Nanoseconds in the run queue: the second number of schedstat. */
function waitedOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1] ?? 0);
  } catch {
    return 0; // no Linux, or a kernel that does not count
  }
}

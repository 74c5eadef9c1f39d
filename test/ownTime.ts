import { readFileSync } from 'node:fs';

/**
 * Milliseconds in which the main threads of these processes could have run, but other programs had the processor, since
 * they began. What an answer took, less this, is what the processes themselves took, blocked ones too: that does not depend on
 * how busy the machine is. Linux tells it (CONFIG_SCHED_INFO); elsewhere 0.
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

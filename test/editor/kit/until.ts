import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Asks again until `probe` has an answer, at most for `timeout` ms. Throws with the last failure. */
export async function until<T>(timeout: number, probe: () => Promise<T | undefined | false | ''>): Promise<T> {
  const deadline = Date.now() + timeout;
  let failure: unknown;
  do {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      failure = error;
    }
    await delay(50);
  } while (Date.now() < deadline);
  throw new Error(`not within ${timeout} ms${failure ? `, last: ${failure}` : ''}`);
}

/** Whether a process runs. One that has ended but was not waited for, as orphans in a container are, does not. */
export function alive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false; // there is no such process
  }
}

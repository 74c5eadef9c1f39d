import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Twice: the memory of array buffers is given back by a thread beside, and the second collection waits for it. */
function collectGarbage(): void {
  gc();
  gc();
}

/**
 * Anonymous memory of this process, MiB. All resident memory would count TensorFlow's own pages too, which the kernel of a busy machine
 * drops and reads again.
 */
function anonymousMiB(): number {
  collectGarbage();
  const [, kiB] = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  return Number(kiB) / 1024;
}

/**
 * Growth of anonymous memory in MiB: the least of three rounds of `work` after one to warm up. A leak grows in each of them;
 * memory that the collector or the allocator happens to hold does not.
 */
export async function growth(work: () => Promise<void> | void): Promise<number> {
  await work();
  const rounds: number[] = [];
  for (let round = 0; round < 3; round++) {
    const before = anonymousMiB();
    await work();
    rounds.push(anonymousMiB() - before);
  }
  return Math.min(...rounds);
}

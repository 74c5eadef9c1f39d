import { beforeAll, expect, test } from 'vitest';
import { Random } from '../../daemon/data/random.ts';
import { afterMilliseconds, expectSameAfter, type Unbroken, unbrokenRun, whileSaving } from './killAndResume.ts';
import { type Cli, fewPhantoms, smallConfig, temporaryFolder } from './trainer.ts';

let unbroken: Unbroken;
beforeAll(async () => {
  unbroken = await unbrokenRun(smallConfig(await fewPhantoms(temporaryFolder('phantoms'))));
}, 120_000);

test('a kill that does not land is a failure', async () => {
  const late = { name: 'when it has finished', until: (cli: Cli) => cli.finished };
  await expect(expectSameAfter(unbroken, [late])).rejects.toThrow(/when it has finished/);
}, 240_000);

/** Twenty kills that land, at moments spread over the whole of a run: start, tracing, steps, checkpoints. */
test('twenty SIGKILLs at random moments: bit for bit the unbroken run', async () => {
  const random = new Random('kills', 1);
  let [landed, runs] = [0, 0];
  for (; landed < 20; runs++) {
    expect(runs, `${landed} kills have landed`).toBeLessThan(20);
    const blows = Array.from({ length: 4 }, () => afterMilliseconds(random.uniform(0.05, 1) * unbroken.duration));
    landed += await expectSameAfter(unbroken, [...blows, whileSaving()], { mayMiss: true });
  }
  console.info(`${landed} kills in ${runs} runs`);
}, 1_800_000);

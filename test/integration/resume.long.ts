import { beforeAll, test } from 'vitest';
import { Random } from '../../daemon/data/random.ts';
import { afterMilliseconds, expectSameAfter, type Unbroken, unbrokenRun, whileSaving } from './killAndResume.ts';
import { fewPhantoms, smallConfig, temporaryFolder } from './trainer.ts';

let unbroken: Unbroken;
beforeAll(async () => {
  unbroken = await unbrokenRun(smallConfig(await fewPhantoms(temporaryFolder('phantoms'))));
}, 120_000);

/** Twenty kills in all, five a run, at moments spread over the whole of it: start, tracing, steps, checkpoints. */
test.each([1, 2, 3, 4])(
  'SIGKILLs at random moments, series %i: bit for bit the unbroken run',
  async (series) => {
    const random = new Random('kills', series);
    const blows = Array.from({ length: 4 }, () => afterMilliseconds(random.uniform(0.05, 1) * unbroken.duration));
    await expectSameAfter(unbroken, [...blows, whileSaving()]);
  },
  600_000,
);

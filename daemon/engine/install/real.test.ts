import { join } from 'node:path';
import { expect, test } from 'vitest';
import { elfProblem } from './elf.ts';
import { engineInfo } from './info.ts';
import { installEngine } from './install.ts';

/** The real TensorFlow: fetched here if `npm test` or the user has not done so already. */
test.skipIf(process.platform !== 'linux' || !!process.env.UNIMISS_TENSORFLOW)(
  'the pinned TensorFlow is in the cache, whole',
  async () => {
    const engine = await installEngine();
    expect(engine).toMatchObject({ origin: 'cache', version: '2.21.0' });
    for (const file of [engine.cc, engine.framework]) expect(await elfProblem(file)).toBeUndefined();
    const { installed, used } = await engineInfo({ verify: 'hash' });
    expect(used).toEqual(engine);
    const entry = installed.find((each) => join(each.folder, 'tensorflow') === engine.folder);
    expect(entry).toMatchObject({ manifest: { version: '2.21.0' } });
    expect(entry!.damage).toBeUndefined();
  },
  600_000,
);

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { elfProblem } from './elf.ts';
import { engineInfo } from './info.ts';
import { installEngine } from './install.ts';

/** The user's cache, if the tests' TensorFlow is from there; the tests' own cache is empty. */
const cache = process.env.UNIMISS_TEST_CACHE;

/** The real TensorFlow, as `npm test` or the user installed it. */
test.skipIf(process.platform !== 'linux' || !cache)(
  'the pinned TensorFlow is in the cache, whole',
  async () => {
    const env = { ...process.env, UNIMISS_CACHE: cache, UNIMISS_TENSORFLOW: undefined };
    const engine = await installEngine({ env });
    expect(engine).toMatchObject({ origin: 'cache', version: '2.21.0' });
    for (const file of [engine.cc, engine.framework]) expect(await elfProblem(file)).toBeUndefined();
    const { installed, used } = await engineInfo({ env, verify: 'hash' });
    expect(used).toEqual(engine);
    const entry = installed.find((each) => join(each.folder, 'tensorflow') === engine.folder);
    expect(entry).toMatchObject({ manifest: { version: '2.21.0' } });
    expect(entry!.damage).toBeUndefined();
  },
  600_000,
);

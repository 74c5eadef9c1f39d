import { defineConfig } from 'vitest/config';

/** Two suites share the folders: `*.test.ts` is quick; `*.long.ts` holds what takes minutes (`npm run test:long`). */
const long = process.env.UNIMISS_TEST_LONG === '1';

export default defineConfig({
  test: {
    include: [long ? '**/*.long.ts' : '**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**'],
    globalSetup: ['test/globalSetup.ts'],
    pool: 'forks',
    maxWorkers: long ? 1 : 2,
    testTimeout: long ? 1_800_000 : 60_000,
    hookTimeout: 300_000,
  },
});

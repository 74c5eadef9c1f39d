import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Two suites share the folders: `*.test.ts` is quick; `*.long.ts` holds what takes minutes (`npm run test:long`). */
const long = process.env.UNIMISS_TEST_LONG === '1';
const ending = long ? 'long' : 'test';
const editor = `test/editor/**/*.${ending}.ts`;
const exclude = ['node_modules/**', 'dist/**'];

const common = {
  // Classes of the extension are tested without an editor.
  alias: { vscode: resolve('test/extension/vscode.ts') },
  globalSetup: 'test/globalSetup.ts',
  pool: 'forks',
  testTimeout: long ? 1_800_000 : 60_000,
  hookTimeout: 300_000,
} as const;

export default defineConfig({
  test: {
    // An editor in a browser wants the machine for itself: its tests run one by one, after all others.
    projects: [
      {
        test: {
          ...common,
          name: 'units',
          include: [`**/*.${ending}.ts`],
          exclude: [...exclude, editor],
          maxWorkers: long ? 1 : 2,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...common, name: 'editor', include: [editor], exclude, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});

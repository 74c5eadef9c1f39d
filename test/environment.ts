import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The variables of a test. The user's settings and caches must not affect tests. So tests, and every process that they start, get
 * a clean set of UNIMISS_* and XDG_*: variables for tests, and separate folders.
 */

/** Variables that are meant for tests; all other UNIMISS_* are the user's, who meant them for the product. */
const meantForTests = /^UNIMISS_(TEST_\w+|SAMPLES|LABELLED|GOLDEN|REQUIRE|PYTHON|TENSORFLOW|PJRT|PJRT_CUDA)$/;
const inTheWay = /^(UNIMISS_|XDG_)/;

/** A copy of `env` without the user's variables of the product and of the desktop. */
export function withoutUsers(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !inTheWay.test(name) || meantForTests.test(name)));
}

/** Folders of the desktop and of the product below `folder`, which are made. */
export function ownFolders(folder: string): Record<string, string> {
  const own = {
    XDG_CACHE_HOME: join(folder, 'cache'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_RUNTIME_DIR: join(folder, 'run'),
    UNIMISS_RUNS: join(folder, 'runs'),
  };
  for (const path of Object.values(own)) mkdirSync(path, { recursive: true, mode: 0o700 });
  return own;
}

/**
 * The variables for a process that a test starts: those of this process, the user's removed; the runs, the configuration
 * and the daemon's socket in `folder`; and `more`, which wins.
 */
export function environmentIn(folder: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { XDG_CACHE_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR } = process.env; // the test run's own: globalSetup.ts
  return {
    ...withoutUsers(process.env),
    ...{ XDG_CACHE_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR },
    XDG_CONFIG_HOME: join(folder, 'config'),
    UNIMISS_RUNS: join(folder, 'runs'),
    UNIMISS_SOCKET: join(folder, 'd.sock'),
    ...more,
  };
}

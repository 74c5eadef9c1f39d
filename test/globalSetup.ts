import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, findEngine, findPlugin } from '../daemon/engine/install/index.ts';
import { ownFolders, withoutUsers } from './environment.ts';
import { required } from './needs.ts';

/** Short, as sockets lie in folders below it: their paths have 107 bytes at most. */
const PREFIX = 'ut-';

/**
 * Before any test: integration tests start the real bundles, so these are built anew. Tests run with a clean set of
 * variables (environment.ts) and with the user's TensorFlow and plugin of PJRT, wherever they lie. What they put into the folder for temporary
 * files goes into one of their own, which is removed after the last. Workers inherit the variables of this process.
 */
export default async function setup(): Promise<(() => void) | undefined> {
  if (process.env.TMPDIR?.includes(`/${PREFIX}`)) return undefined; // each project of vitest.config.ts comes here
  required();
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  process.env.TMPDIR = folder;
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });

  const users = { ...process.env };
  // A user who moved the cache may have a TensorFlow where it lies by default.
  const usual = { ...users, UNIMISS_CACHE: undefined, XDG_CACHE_HOME: undefined };
  const found = await findEngine({ env: users });
  const engine = found ?? (await findEngine({ env: usual }));
  const plugin = (await findPlugin('pjrt:cpu', users)) ?? (await findPlugin('pjrt:cpu', usual));
  for (const name of Object.keys(users)) if (!(name in withoutUsers(users))) delete process.env[name];
  Object.assign(process.env, ownFolders(join(folder, 'user')), {
    UNIMISS_TEST_TOOLS: users.UNIMISS_TEST_TOOLS || users.XDG_CACHE_HOME || join(homedir(), '.cache'),
    ...(engine && { UNIMISS_TENSORFLOW: engine.folder }),
    ...(plugin && { UNIMISS_PJRT: plugin.file }),
    ...(engine?.origin === 'cache' && { UNIMISS_TEST_CACHE: cacheFolder(found ? users : usual) }),
  });
  return () => rmSync(folder, { recursive: true, force: true });
}

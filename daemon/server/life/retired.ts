import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { version } from '../../../package.json';
import type { daemonStatus } from '../../../protocol/daemon/lifecycleMessages.ts';
import type { ResultOf } from '../../../protocol/daemon/rpc.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { type FileLock, lockFile, ownerOf } from '../../native/fileLock.ts';
import { isLocked } from '../../runs/folder/lock.ts';
import { type DaemonPaths, retiredPaths, retiredPid } from './paths.ts';

type Retired = ResultOf<typeof daemonStatus>['retired'][number];

const aboutSchema = z.object({ pid: z.int(), version: z.string(), socket: z.string(), runs: z.array(z.string()) });

/** Takes the lock that announces this retired daemon, which stays for its runs at another socket, to the next one. */
export async function lockRetired(paths: DaemonPaths, runs: readonly string[]): Promise<FileLock> {
  const { socket, lock } = retiredPaths(paths, process.pid);
  const held = async () => {
    throw new UnimissError('daemon', 'another process holds the lock of this process', { place: lock });
  };
  return lockFile(lock, held, { version, socket, runs });
}

/** The living daemons that have made room for the one of these paths. Removes what dead ones left behind. */
export async function retiredDaemons(paths: DaemonPaths): Promise<Retired[]> {
  const folder = dirname(paths.socket);
  const found: Retired[] = [];
  for (const name of await readdir(folder)) {
    const pid = retiredPid(paths, name);
    if (pid === undefined || pid === process.pid) continue;
    const { lock, socket } = retiredPaths(paths, pid);
    if (!isLocked(lock)) {
      await rm(lock, { force: true });
      await rm(socket, { force: true });
      continue;
    }
    const about = aboutSchema.safeParse(ownerOf(lock));
    if (!about.success) continue; // it has only just taken the lock
    found.push({ ...about.data, runs: about.data.runs.filter((run) => isLocked(join(run, 'lock'))) });
  }
  return found;
}

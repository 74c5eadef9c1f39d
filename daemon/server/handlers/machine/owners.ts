import { readFile, stat } from 'node:fs/promises';

/** The name of the user who owns a process; their number if the machine does not list the name; null if the process is gone. */
export async function ownerOfProcess(pid: number, proc = '/proc', passwd = '/etc/passwd'): Promise<string | null> {
  const found = await stat(`${proc}/${pid}`).catch(ifGone);
  if (!found) return null;
  const names = (await readFile(passwd, 'utf8').catch(ifGone)) ?? '';
  const line = names.split('\n').find((entry) => entry.split(':')[2] === String(found.uid));
  return line?.split(':')[0] ?? String(found.uid);
}

function ifGone(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ESRCH' || error.code === 'EACCES') return undefined;
  throw error;
}

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UnimissError } from '../../../protocol/errors.ts';

/** The folder that holds all runs: `UNIMISS_RUNS`, or `unimiss-runs` in the user's home. Absolute. */
export function runsRoot(env: NodeJS.ProcessEnv = process.env): string {
  const given = env.UNIMISS_RUNS;
  return given ? resolve(given) : join(homedir(), 'unimiss-runs');
}

/** A letter or digit, then letters, digits, `.`, `_`, `-`: nothing that could lead out of a folder or be a hidden file. */
const safe = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** `folder/name`, where `name` is a single safe name. Throws UnimissError 'run' for any other name. */
export function inside(folder: string, name: string): string {
  if (!safe.test(name))
    throw new UnimissError('run', `${JSON.stringify(name)} is not a name within ${folder}`, {
      remedy: 'Use letters, digits, ".", "_" and "-". `unimiss runs` lists the existing names.',
    });
  return join(folder, name);
}

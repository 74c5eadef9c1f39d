import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RunFolder } from '../runs/runFolder.ts';

/** A run by its name under the root or by its folder anywhere. @throws UnimissError 'run' where there is none */
export async function findRun(root: string, nameOrFolder: string): Promise<RunFolder> {
  const looksLikePath = /[/\\]/.test(nameOrFolder) || nameOrFolder === '.';
  if (looksLikePath || existsSync(join(resolve(nameOrFolder), 'run.json')))
    return RunFolder.open(resolve(nameOrFolder));
  return RunFolder.named(root, nameOrFolder);
}

import { resolve } from 'node:path';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { isFolder } from './connection.ts';

/** A run by its name under the root or by its folder anywhere. @throws UnimissError 'run' where there is none */
export async function findRun(root: string, nameOrFolder: string): Promise<RunFolder> {
  return isFolder(nameOrFolder) ? RunFolder.open(resolve(nameOrFolder)) : RunFolder.named(root, nameOrFolder);
}

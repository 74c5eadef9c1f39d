import { resolve } from 'node:path';
import type { ConfigKind } from '../../../protocol/config/index.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { isFolder } from './connection.ts';

/** A run by its name under the root or by its folder anywhere. @throws UnimissError 'run' if there is none */
export async function findRun(root: string, nameOrFolder: string, kinds: readonly ConfigKind[]): Promise<RunFolder> {
  return isFolder(nameOrFolder)
    ? RunFolder.open(resolve(nameOrFolder), kinds)
    : RunFolder.named(root, nameOrFolder, kinds);
}

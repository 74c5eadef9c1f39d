import { workspace } from 'vscode';
import { uriOf } from './machineUri.ts';

/** The text of a file on this machine (absolute path) or another one (address). @throws the file system's error */
export async function readText(address: string): Promise<string> {
  return new TextDecoder().decode(await workspace.fs.readFile(uriOf(address)));
}

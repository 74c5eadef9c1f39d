import { Uri } from 'vscode';
import { addressOf, parseAddress } from '../../protocol/machines/address.ts';
import { machineScheme } from './machineScheme.ts';

/** Of a path on this machine, or an address of another one. */
export function uriOf(address: string): Uri {
  const { machine, path } = parseAddress(address);
  return machine === undefined ? Uri.file(path) : Uri.from({ scheme: machineScheme, authority: machine, path });
}

/** The path of a file on this machine, or the address of one on another. */
export function addressOfUri(uri: Uri): string {
  return uri.scheme === machineScheme ? addressOf(uri.authority, uri.path) : uri.fsPath;
}

import { l10n } from 'vscode';
import { filesRead } from '../../protocol/daemon/messages.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { DaemonClient } from '../client/daemonClient.ts';

/** A piece of a file, and the bytes of the whole file. */
export interface Piece {
  readonly bytes: Buffer;
  readonly size: number;
}

/**
 * Reads a file of another machine piece by piece, through the daemon there.
 * @throws UnimissError 'data' if it cannot be read, or became shorter meanwhile
 */
export async function* readPieces(daemon: Pick<DaemonClient, 'request'>, path: string): AsyncGenerator<Piece> {
  for (let offset = 0, whole = 1; offset < whole; ) {
    const { data, size } = await daemon.request(filesRead, { path, offset });
    const bytes = Buffer.from(data, 'base64');
    if (bytes.length === 0 && offset < size)
      throw new UnimissError('data', l10n.t('became shorter while it was read'), {
        place: path,
        remedy: l10n.t('Try again.'),
      });
    offset += bytes.length;
    whole = size;
    yield { bytes, size };
  }
}

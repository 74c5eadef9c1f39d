import { recordsRead } from '../../../protocol/records/messages.ts';
import type { RunRecord } from '../../../protocol/records/records.ts';
import type { DaemonConnection } from '../../client/daemonConnection.ts';

/**
 * All that a run has recorded after a cursor, by the daemon; without one from the first record on.
 * @returns the cursor behind it, and how many lines were no records that the daemon knows
 */
export async function readRecordsByDaemon(
  client: DaemonConnection,
  run: string,
  after: string | undefined,
  onRecord: (record: RunRecord) => void,
): Promise<{ cursor: string; leftOut: number }> {
  let leftOut = 0;
  for (let cursor = after; ; ) {
    const piece = await client.call(recordsRead, { run, ...(cursor !== undefined && { after: cursor }) });
    for (const record of piece.records) onRecord(record);
    leftOut += piece.leftOut;
    cursor = piece.cursor;
    if (!piece.more) return { cursor, leftOut };
  }
}

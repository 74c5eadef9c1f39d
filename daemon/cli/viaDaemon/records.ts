import { recordsRead } from '../../../protocol/records/messages.ts';
import type { RunRecord } from '../../../protocol/records/records.ts';
import type { DaemonConnection } from '../../client/daemonConnection.ts';

/**
 * All records of a run after a cursor, through the daemon; without a cursor, from the first record.
 * @returns the cursor after them, and the number of lines that the daemon does not know as records
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

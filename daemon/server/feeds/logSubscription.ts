import { logAppended } from '../../../protocol/runs/logMessages.ts';
import { readFrom } from '../../files/readFrom.ts';
import type { RunFolder } from '../../runs/folder/runFolder.ts';
import type { RunChange } from '../../runs/supervise/supervisor.ts';
import { Outbox } from '../wire/outbox.ts';
import type { Send, Subscription } from '../wire/subscription.ts';

/** Bytes of a log in one message. */
const PIECE = 64 << 10;
/** Bytes at the end of a log to search for its last lines. */
const TAIL = 1 << 20;
const INTERVAL = 100;

/** Sends a client what is added to the log of a run, one notification at a time. */
export class LogSubscription implements Subscription {
  private readonly outbox: Outbox;

  constructor(
    private readonly id: string,
    private readonly run: RunFolder,
    private offset: number,
    private readonly send: Send,
    failed: (error: unknown) => void,
  ) {
    this.outbox = new Outbox(() => this.round(), INTERVAL, failed);
    this.outbox.schedule();
  }

  notify(folder?: string, _change?: RunChange): void {
    if (folder === undefined || folder === this.run.folder) this.outbox.schedule();
  }

  close(): void {
    this.outbox.close();
  }

  private async round(): Promise<void> {
    const { size, bytes } = await readFrom(this.run.logFile, this.offset, PIECE);
    if (size < this.offset) this.offset = 0; // a shorter file replaced it: all of it is new
    const length = wholeLines(bytes);
    if (length === 0) return;
    this.offset += length;
    if (this.offset < size) this.outbox.schedule();
    await this.send(logAppended, {
      subscription: this.id,
      text: bytes.toString('utf8', 0, length),
      offset: this.offset,
    });
  }
}

/** The last `lines` lines of a log, of its last 1 MiB, and the offset of its end. */
export async function tailOf(file: string, lines: number): Promise<{ text: string; offset: number }> {
  const { size } = await readFrom(file, 0, 0);
  const begin = Math.max(0, size - TAIL);
  const { bytes } = await readFrom(file, begin, TAIL);
  const end = bytes.lastIndexOf(10) + 1;
  let start = end;
  for (let n = 0; n < lines && start > 0; n++) start = start < 2 ? 0 : bytes.lastIndexOf(10, start - 2) + 1;
  return { text: bytes.toString('utf8', start, end), offset: begin + end };
}

/** Bytes up to the last line break; all of them if a line is longer than a piece. */
function wholeLines(bytes: Buffer): number {
  const end = bytes.lastIndexOf(10) + 1;
  if (end > 0 || bytes.length < PIECE) return end;
  // Never cut inside a multi-byte character: its continuation bytes begin with the bits 10.
  let cut = bytes.length;
  while (cut > 0 && (bytes[cut - 1]! & 0xc0) === 0x80) cut--;
  return Math.max(1, cut - 1);
}

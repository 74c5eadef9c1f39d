import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import type { EventRecord, RunRecord } from '../../../protocol/records/records.ts';
import type { Series } from '../../../protocol/records/series.ts';
import { type LogLevel, RunLog } from '../folder/log.ts';
import { PathHider, privacyKey } from '../folder/privacy.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { TensorBoardFile } from './export/tensorboard.ts';
import { readRecords } from './readRecords.ts';
import { RecordLog } from './recordLog.ts';
import type { RunListener } from './runListener.ts';

const levels: Partial<Record<EventRecord['event'], LogLevel>> = {
  warning: 'warning',
  broken: 'warning',
  error: 'error',
};

/**
 * Everything that a run writes about itself during training: records.jsonl and log.txt, with image names hidden if the
 * configuration asks for it.
 */
export class RunJournal {
  private board: TensorBoardFile | undefined;
  /** Kinds of notices about images (`details.kind`) that earlier starts of the run recorded; known after `cutAfter`. */
  readonly reportedKinds = new Set<string>();

  /** Notices that the records contain from earlier starts; known after `cutAfter`. */
  private readonly noticed = new Set<string>();

  private constructor(
    private readonly run: RunFolder,
    private readonly files: { readonly records: RecordLog; readonly text: RunLog },
    private readonly series: readonly Series[],
    private readonly listener: RunListener,
    private readonly hider: PathHider | undefined,
  ) {}

  /** @param series catalogue of the run's numbers */
  static async open(run: RunFolder, series: readonly Series[], listener: RunListener = {}): Promise<RunJournal> {
    const hider = run.config.records.hidePaths ? new PathHider(await privacyKey(), []) : undefined;
    const records = RecordLog.open(run.recordsFile);
    const journal = new RunJournal(run, { records, text: new RunLog(run.logFile) }, series, listener, hider);
    if (records.cutBytes > 0) journal.log('warning', `Removed ${records.cutBytes} bytes of an incomplete last record`);
    return journal;
  }

  /** Adds names that must not appear if `records.hidePaths` is set. */
  hideNames(...lists: (readonly string[])[]): void {
    for (const name of lists.flat()) this.hider?.add(name);
  }

  /** The name of an image for the run's files. */
  nameOf({ id, path }: { readonly id: string; readonly path: string }): string {
    return this.hider?.nameOf(path) ?? id;
  }

  record(record: RunRecord): void {
    const shown = this.hider?.record(record) ?? record;
    this.files.records.append(shown);
    this.board?.append(shown);
    this.listener.onRecord?.(shown);
  }

  event(
    event: EventRecord['event'],
    message: string,
    more: Pick<EventRecord, 'step' | 'epoch' | 'file' | 'code' | 'details'> = {},
  ): void {
    this.record({ kind: 'event', event, message, ...more, time: new Date().toISOString() });
    this.log(levels[event] ?? 'info', message);
  }

  /** Records a notice that would be the same at each start, unless the records contain it already. Call it after `cutAfter`. */
  noticeOnce(message: string, step: number): void {
    if (!this.noticed.has(this.hider?.text(message) ?? message)) this.event('notice', message, { step });
  }

  log(level: LogLevel, message: string): void {
    this.files.text.write(level, this.hider?.text(message) ?? message);
  }

  /** Records why a run ended. On a full disk even this fails; then the first error counts. */
  error(error: unknown): void {
    const code = error instanceof UnimissError ? error.code : 'internal';
    try {
      this.event('error', this.hider?.error(error) ?? messageOf(error), { code });
      if (code === 'internal' && error instanceof Error && error.stack)
        this.log('error', this.hider?.error(error, error.stack) ?? error.stack);
    } catch (second) {
      if (!(second instanceof UnimissError && second.code === 'disk')) throw second;
    }
  }

  /** Removes the records after a checkpoint, and begins the TensorBoard file (if requested) with the rest. */
  async cutAfter(stepsDone: number): Promise<void> {
    const cut = await this.files.records.cutAfter(stepsDone, (record) => {
      if (record.kind !== 'event' || record.event !== 'notice') return;
      this.noticed.add(record.message);
      if (typeof record.details?.kind === 'string') this.reportedKinds.add(record.details.kind);
    });
    if (cut > 0) this.log('info', `Removed ${cut} records after step ${stepsDone}: the run repeats these steps`);
    if (!this.run.config.records.tensorboard) return;
    this.board = await TensorBoardFile.open(this.run.tensorboardFolder, {
      ...{ run: this.run.id, writer: 'train', alone: true, series: this.series },
    });
    for await (const record of readRecords(this.run.recordsFile, (m) => this.log('warning', m)))
      this.board.append(record);
  }

  /** Resolves when all records so far are on the disk. */
  sync(): Promise<void> {
    return this.files.records.sync();
  }

  close(): void {
    this.files.records.close();
    this.board?.close();
    this.files.text.close();
  }
}

import { join } from 'node:path';
import { UnimissError } from '../../../protocol/errors.ts';
import { thousands } from '../../../protocol/words.ts';
import type { SafetensorsFile } from '../../checkpoint/safetensorsReader.ts';
import type { Score } from '../../checkpoint/score.ts';
import { CheckpointStore } from '../../checkpoint/store.ts';
import type { CheckpointReason, TrainingPosition } from '../../train/loop.ts';
import type { SavedState } from '../../train/training.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { readRecords } from '../records/readRecords.ts';
import type { RunJournal } from '../records/runJournal.ts';
import { packCheckpoint, unpackCheckpoint } from './format.ts';

/** The checkpoints of a run in training, consistent with its records. */
export class RunCheckpoints {
  private readonly store: CheckpointStore;
  private readonly notices: string[] = [];

  constructor(
    private readonly run: RunFolder,
    private readonly journal: RunJournal,
    /** Kind of the run. */
    private readonly task: string,
  ) {
    this.store = new CheckpointStore(run.checkpointsFolder, run.config.checkpoint);
  }

  /**
   * The last good checkpoint, open; the caller closes it.
   * @returns undefined if the run has never saved one
   * @throws UnimissError 'checkpoint' if all are damaged or gone: training from the first step would delete the run's records
   */
  async latest(): Promise<SafetensorsFile | undefined> {
    const saved = await this.store.latestGood((message) => this.notices.push(message), {
      setAside: true,
      remedy: this.remedy,
    });
    if (saved) return saved.tensors;
    const damaged = await this.store.damaged();
    const what =
      damaged.length > 0
        ? `all checkpoints are damaged (${damaged.join(', ')})`
        : (await this.recordsTellOfOne()) && 'its records mention checkpoints, but none exists';
    if (!what) return undefined;
    throw new UnimissError('checkpoint', what, { place: this.run.checkpointsFolder, remedy: this.remedy });
  }

  /** Loads a checkpoint, if there is one, and removes the records after it. */
  async resume(saved: SafetensorsFile | undefined, state: SavedState): Promise<TrainingPosition> {
    const position = saved ? await unpackCheckpoint(saved, this.task, state) : { step: 0, epochSeconds: 0 };
    await this.journal.cutAfter(position.step);
    for (const notice of this.notices.splice(0)) this.journal.event('warning', notice, { step: position.step });
    return position;
  }

  /** Saves the state, after the records that it relies on. @param score decides which checkpoint is kept as the best */
  async save(state: SavedState, position: TrainingPosition, reason: CheckpointReason, score?: Score): Promise<void> {
    await this.journal.sync();
    const { tensors, metadata } = packCheckpoint(this.task, state, position);
    const saved = await this.store.save(position.step, tensors, metadata, score);
    this.journal.event('checkpoint', savedText(position.step, reason), {
      step: position.step,
      file: `checkpoints/${saved.file.split('/').at(-1)}`,
      details: { bytes: saved.bytes },
    });
  }

  private get remedy(): string {
    return (
      'Copy a good checkpoint into this folder, or start a new run: ' +
      `\`unimiss pretrain ${join(this.run.folder, 'config.resolved.json')}\`. ` +
      `To train this run again from its first step and lose its records, remove its records.jsonl and its checkpoints.`
    );
  }

  private async recordsTellOfOne(): Promise<boolean> {
    for await (const record of readRecords(this.run.recordsFile, () => undefined))
      if (record.kind === 'event' && record.event === 'checkpoint') return true;
    return false;
  }
}

/** @param step steps done */
function savedText(step: number, reason: CheckpointReason): string {
  if (reason === 'finish') return `Final checkpoint saved (step ${thousands(step)})`;
  return `Checkpoint saved (step ${thousands(step)}, ${because[reason]})`;
}

const because: Record<Exclude<CheckpointReason, 'finish'>, string> = {
  time: 'scheduled',
  epoch: 'end of an epoch',
  stop: 'stop requested',
};

import { CheckpointStore } from '../../checkpoint/store.ts';
import type { PretrainState } from '../../train/pretrain/state.ts';
import type { CheckpointReason, TrainingPosition } from '../../train/pretrain/trainer.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import type { RunJournal } from '../records/runJournal.ts';
import { packCheckpoint, unpackCheckpoint } from './trainingCheckpoint.ts';

/** The checkpoints of a run that is being trained, in step with its records. */
export class RunCheckpoints {
  private readonly store: CheckpointStore;

  constructor(
    run: RunFolder,
    private readonly journal: RunJournal,
  ) {
    this.store = new CheckpointStore(run.checkpointsFolder, run.config.checkpoint);
  }

  /** Whether there is any. */
  async begun(): Promise<boolean> {
    return (await this.store.list()).length > 0;
  }

  /** Takes over the last good checkpoint and forgets what was recorded after it; step 0 where there is none. */
  async resume(state: PretrainState): Promise<TrainingPosition> {
    const notices: string[] = [];
    const saved = await this.store.latestGood((message) => notices.push(message), { setAside: true });
    try {
      const position = saved ? await unpackCheckpoint(saved.tensors, state) : { step: 0 };
      await this.journal.cutAfter(position.step);
      for (const notice of notices) this.journal.event('warning', notice, { step: position.step });
      return position;
    } finally {
      await saved?.tensors.close();
    }
  }

  /**
   * Saves the state, after the records that it counts on.
   * @param meanLoss mean loss of the epoch that has just ended, by which the best is kept
   */
  async save(
    state: PretrainState,
    featureLength: number,
    position: TrainingPosition,
    reason: CheckpointReason,
    meanLoss?: number,
  ): Promise<void> {
    await this.journal.sync();
    const { tensors, metadata } = packCheckpoint(state, position, featureLength);
    const saved = await this.store.save(position.step, tensors, metadata, meanLoss);
    this.journal.event('checkpoint', `Saved after step ${position.step} (${because[reason]})`, {
      step: position.step,
      file: `checkpoints/${saved.file.split('/').at(-1)}`,
      details: { bytes: saved.bytes },
    });
  }
}

const because: Record<CheckpointReason, string> = {
  time: 'it was time',
  epoch: 'end of an epoch',
  stop: 'stop requested',
  finish: 'the end',
};

import { z } from 'zod';
import { UnimissError } from '../../../protocol/errors.ts';
import type { JsonObject } from '../../../protocol/json.ts';
import type { NamedTensor, ReadTensor } from '../parameters/namedTensor.ts';
import type { SavedState } from '../training.ts';

const count = z.int().min(0);
const countersSchema = z.object({
  meter: z.object({ steps: count, loss: z.number() }),
  seconds: z.object({ total: z.number().min(0), epochBegan: z.number().min(0) }),
  watched: z.object({ best: z.number().nullable(), since: count }),
});

/** What a fine-tuning keeps beside its networks: sums of the unfinished epoch, time, and what early stopping watches. */
export class FineTuneProgress {
  steps = 0;
  loss = 0;
  /** Seconds that the run has trained for. */
  seconds = 0;
  /** What they were when the epoch began. */
  epochBegan = 0;
  /** The best watched value so far, and validations since. */
  best: number | null = null;
  since = 0;

  /** Ends an epoch. @returns its mean loss */
  endEpoch(): number {
    const mean = this.loss / this.steps;
    this.steps = 0;
    this.loss = 0;
    this.epochBegan = this.seconds;
    return mean;
  }

  /** Notes a watched value. */
  watch(value: number, better: 'lower' | 'higher'): void {
    const improved = this.best === null || (better === 'higher' ? value > this.best : value < this.best);
    this.since = improved ? 0 : this.since + 1;
    if (improved) this.best = value;
  }
}

/** A state of networks together with a run's progress, as a checkpoint keeps them. */
export class FineTuneSavedState implements SavedState {
  constructor(
    private readonly networks: SavedState,
    private readonly progress: FineTuneProgress,
  ) {}

  tensors(): NamedTensor[] {
    return this.networks.tensors();
  }

  counters(): JsonObject {
    const { steps, loss, seconds, epochBegan, best, since } = this.progress;
    return {
      ...this.networks.counters(),
      meter: { steps, loss },
      seconds: { total: seconds, epochBegan },
      watched: { best, since },
    };
  }

  async load(read: ReadTensor, counters: JsonObject): Promise<void> {
    const checked = countersSchema.safeParse(counters);
    if (!checked.success)
      throw new UnimissError('checkpoint', `its counters cannot be read: ${z.prettifyError(checked.error)}`, {
        place: 'counters',
        remedy: 'Use another checkpoint of this run.',
      });
    await this.networks.load(read, counters);
    const { meter, seconds, watched } = checked.data;
    const { total, epochBegan } = seconds;
    Object.assign(this.progress, meter, { seconds: total, epochBegan }, watched);
  }
}

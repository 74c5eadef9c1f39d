import { z } from 'zod';
import { UnimissError } from '../../../protocol/errors.ts';
import type { JsonObject } from '../../../protocol/json.ts';
import type { NamedTensor, ReadTensor } from '../parameters/namedTensor.ts';
import type { SavedState } from '../training.ts';
import type { EpochMeter } from './epochMeter.ts';
import type { PretrainState } from './state.ts';

/** Name of the tensor with the features of the unfinished epoch. */
const FEATURES = 'epoch.features';

const count = z.int().min(0);
const countersSchema = z.object({
  counts: z.object({ shared: count, volume: count, lastLayer: count }),
  meter: z.object({ steps: count, loss: z.number(), entropy: z.number(), kl: z.number() }).optional(),
});

/** The state of a pre-training in a checkpoint: networks, moments, centre, counts, and the sums of the unfinished epoch. */
export class PretrainSavedState implements SavedState {
  constructor(
    private readonly state: PretrainState,
    private readonly meter: EpochMeter,
  ) {}

  tensors(): NamedTensor[] {
    const { features, featureLength } = this.meter;
    const shape = [features.length / featureLength, featureLength];
    const ofEpoch = features.length > 0 ? [{ name: FEATURES, shape, read: () => features }] : [];
    return [...this.state.tensors(), ...ofEpoch];
  }

  counters(): JsonObject {
    const { sums } = this.meter;
    return { counts: { ...this.state.counts }, ...(sums && { meter: { ...sums } }) };
  }

  async load(read: ReadTensor, counters: JsonObject): Promise<void> {
    const checked = countersSchema.safeParse(counters);
    if (!checked.success)
      throw new UnimissError('checkpoint', `its counters cannot be read: ${z.prettifyError(checked.error)}`, {
        place: 'counters',
        remedy: 'Use another checkpoint of this run.',
      });
    const { counts, meter } = checked.data;
    await this.state.load(read);
    Object.assign(this.state.counts, counts);
    if (meter) this.meter.restore(meter, (await read(FEATURES)) ?? new Float32Array(0));
    else this.meter.reset();
  }
}

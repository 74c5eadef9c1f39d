import { z } from 'zod';
import { UnimissError } from '../../../protocol/errors.ts';
import type { JsonObject } from '../../../protocol/json.ts';
import type { NamedTensor, ReadTensor } from '../parameters/namedTensor.ts';
import type { SavedState } from '../training.ts';
import type { EpochMeter } from './epochMeter.ts';
import type { PretrainState } from './state.ts';

/** Names of the tensors with the features of the unfinished epoch. */
const FEATURES = 'epoch.features';
const SLICE_FEATURES = 'epoch.sliceFeatures';

const count = z.int().min(0);
const countersSchema = z.object({
  counts: z.object({ shared: count, volume: count, lastLayer: count }),
  meter: z
    .object({
      steps: count,
      loss: z.number(),
      entropy: z.number(),
      kl: z.number(),
      terms: z.array(z.object({ loss: z.number(), entropy: z.number(), kl: z.number() })).default([]),
    })
    .optional(),
});

/** The state of a pre-training in a checkpoint: networks, moments, centre, counts, and the sums of the unfinished epoch. */
export class PretrainSavedState implements SavedState {
  constructor(
    private readonly state: PretrainState,
    private readonly meter: EpochMeter,
  ) {}

  tensors(): NamedTensor[] {
    const { features, sliceFeatures, featureLength } = this.meter;
    const ofEpoch = [
      { name: FEATURES, values: features },
      { name: SLICE_FEATURES, values: sliceFeatures },
    ].flatMap(({ name, values }) =>
      values.length > 0 ? [{ name, shape: [values.length / featureLength, featureLength], read: () => values }] : [],
    );
    return [...this.state.tensors(), ...ofEpoch];
  }

  counters(): JsonObject {
    const { sums } = this.meter;
    return {
      counts: { ...this.state.counts },
      ...(sums && { meter: { ...sums, terms: sums.terms.map((term) => ({ ...term })) } }),
    };
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
    const none = new Float32Array(0);
    if (meter) this.meter.restore(meter, (await read(FEATURES)) ?? none, (await read(SLICE_FEATURES)) ?? none);
    else this.meter.reset();
  }
}

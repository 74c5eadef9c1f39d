import { z } from 'zod';
import { UnimissError } from '../../../protocol/errors.ts';
import type { SafetensorsFile } from '../../checkpoint/safetensorsReader.ts';
import type { TensorSource } from '../../checkpoint/safetensorsWriter.ts';
import type { PretrainState } from '../../train/pretrain/state.ts';
import type { TrainingPosition } from '../../train/pretrain/trainer.ts';

/** Name of the tensor with the features of the unfinished epoch. */
const FEATURES = 'epoch.features';

const count = z.int().min(0);
const countersSchema = z.object({
  step: count,
  counts: z.object({ shared: count, volume: count, lastLayer: count }),
  meter: z
    .object({ steps: count, loss: z.number(), entropy: z.number(), kl: z.number(), seconds: z.number() })
    .optional(),
});

/** Everything that a run needs to go on as if it had never stopped: tensors, and metadata as safetensors keeps them (texts). */
export function packCheckpoint(
  state: PretrainState,
  position: TrainingPosition,
  featureLength: number,
): { tensors: TensorSource[]; metadata: Record<string, string> } {
  const { features, ...sums } = position.meter ?? { features: undefined };
  const counters = { step: position.step, counts: state.counts, ...(features && { meter: sums }) };
  const tensors: TensorSource[] = state.tensors().map((t) => ({ ...t, dtype: 'F32' as const, read: () => t.read() }));
  if (features?.length)
    tensors.push({
      name: FEATURES,
      dtype: 'F32',
      shape: [features.length / featureLength, featureLength],
      read: () => features,
    });
  return { tensors, metadata: { format: 'unimiss-pretraining-1', counters: JSON.stringify(counters) } };
}

/**
 * Puts a checkpoint back into the state.
 * @throws UnimissError 'checkpoint' where it is none of a pre-training run, or of another model
 */
export async function unpackCheckpoint(file: SafetensorsFile, state: PretrainState): Promise<TrainingPosition> {
  const counters = countersSchema.safeParse(parse(file.metadata.counters));
  if (!counters.success)
    throw new UnimissError('checkpoint', `its counters cannot be read: ${z.prettifyError(counters.error)}`, {
      place: file.file,
      remedy: 'Take another checkpoint of this run.',
    });
  await state.load((name) => (file.tensors.has(name) ? file.readFloat32(name) : undefined));
  Object.assign(state.counts, counters.data.counts);
  const { step, meter } = counters.data;
  if (!meter) return { step };
  const features = file.tensors.has(FEATURES) ? await file.readFloat32(FEATURES) : new Float32Array(0);
  return { step, meter: { ...meter, features } };
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined; // the schema says what is missing
  }
}

import { z } from 'zod';
import { modalitySchema } from '../modality.ts';
import { quickCheck } from './quickCheck.ts';
import type { EpochRecord, StepRecord } from './records.ts';
import type { Warning } from './warning.ts';

/**
 * Maps steps and epochs that version 0.1.0 wrote (format 1) to today's records. If a later version resumed a run of 0.1.0, its
 * file has lines of both formats. Events have not changed.
 */

const count = z.int().min(0);
const notNegative = z.number().min(0);
const time = z.iso.datetime();

const step1 = z.object({
  kind: z.literal('step'),
  step: count,
  epoch: count,
  phase: modalitySchema,
  loss: z.number(),
  terms: z.array(z.number()),
  learningRate: z.number(),
  weightDecay: z.number(),
  momentum: z.number(),
  gradientNorm: notNegative,
  imagesPerSecond: notNegative,
  stepMs: notNegative,
  waitMs: notNegative,
  rssMiB: notNegative,
  time,
});

const epoch1 = z.object({
  kind: z.literal('epoch'),
  epoch: count,
  phase: modalitySchema,
  step: count,
  steps: count,
  loss: z.number(),
  seconds: notNegative,
  collapse: z
    .object({
      teacherEntropy: z.number(),
      klToUniform: z.number(),
      featureStd: notNegative,
      effectiveRank: notNegative,
    })
    .nullable(),
  warnings: z.array(z.string()),
  time,
});

const isStep1 = quickCheck(step1) as (value: unknown) => value is z.infer<typeof step1>;

/** A parsed line of format 1 as today's record; undefined for any other value. */
export function fromFormat1(value: unknown): StepRecord | EpochRecord | undefined {
  if (isStep1(value)) return stepOf(value);
  if (typeof value !== 'object' || value === null || !('phase' in value)) return undefined;
  const step = step1.safeParse(value);
  if (step.success) return stepOf(step.data);
  const epoch = epoch1.safeParse(value);
  return epoch.success ? epochOf(epoch.data) : undefined;
}

function stepOf(step: z.infer<typeof step1>): StepRecord {
  const { learningRate, weightDecay, momentum, gradientNorm, imagesPerSecond } = step;
  const values: Record<string, number> = { learningRate, weightDecay, momentum, gradientNorm, imagesPerSecond };
  // The only term of a 2D step is its loss.
  if (step.phase === '3D') {
    const [volumeVolume, slicesVolume, slicesSlices, volumeSlices] = step.terms;
    if (volumeVolume !== undefined) values['term/volume-volume'] = volumeVolume;
    if (slicesVolume !== undefined) values['term/slices-volume'] = slicesVolume;
    if (slicesSlices !== undefined) values['term/slices-slices'] = slicesSlices;
    if (volumeSlices !== undefined) values['term/volume-slices'] = volumeSlices;
  }
  return {
    kind: 'step',
    step: step.step,
    epoch: step.epoch,
    group: step.phase,
    loss: step.loss,
    values,
    stepMs: step.stepMs,
    waitMs: step.waitMs,
    rssMiB: step.rssMiB,
    time: step.time,
  };
}

function epochOf({ phase, collapse, warnings, ...epoch }: z.infer<typeof epoch1>): EpochRecord {
  return { ...epoch, group: phase, values: { ...collapse }, warnings: warnings.map(warningOf) };
}

/** In version 0.1.0, the advice followed the problem in the same text and began with "Try". */
function warningOf(text: string): Warning {
  const at = text.search(/\sTry\b/);
  return at < 0 ? { what: text } : { what: text.slice(0, at), advice: text.slice(at + 1) };
}

import * as z from 'zod';

/** How sure a number is: a 95 % bootstrap interval over patients. */
export const interval = z.object({
  low: z.number(),
  high: z.number(),
  /** Patients that were drawn from. */
  patients: z.number().int(),
  resamples: z.number().int(),
});
export type Interval = z.infer<typeof interval>;

/** A case or patient that was not evaluated, and why. */
export const exclusion = z.object({ case: z.string(), reason: z.string() });
export type Exclusion = z.infer<typeof exclusion>;

/** Whether the training, or one that its weights went through before, has seen images that are evaluated here. "unknown": not all images were recorded. */
export const leakage = z.discriminatedUnion('state', [
  z.object({ state: z.literal('unknown'), reason: z.string() }),
  z.object({ state: z.literal('none'), checked: z.number().int() }),
  z.object({ state: z.literal('found'), checked: z.number().int(), cases: z.array(z.string()) }),
]);
export type Leakage = z.infer<typeof leakage>;

/** A number of one run beside that of another, on the same patients. */
export const comparison = z.object({
  metric: z.string(),
  /** null: over all classes. */
  class: z.string().nullable(),
  /** Patients for whom both have the number. */
  pairs: z.number().int(),
  first: z.number().nullable(),
  second: z.number().nullable(),
  /** Mean of second − first over the pairs. */
  effect: z.number().nullable(),
  /** Two-sided, of a permutation test that swaps the runs within pairs. */
  p: z.number().nullable(),
  /** True: all swaps were tried; false: p is estimated from random ones. */
  exact: z.boolean(),
  /** What the test says, or why it cannot tell. */
  sentence: z.string(),
});
export type Comparison = z.infer<typeof comparison>;

/** A run beside another one, the first of each test. */
export const runComparison = z.object({
  /** Name of the other run. */
  with: z.string(),
  /** Its checkpoint. */
  checkpoint: z.string(),
  /** Whether one is the from-scratch twin of the other. */
  twin: z.boolean(),
  tests: z.array(comparison),
});
export type RunComparison = z.infer<typeof runComparison>;

/** Parts that both problems have. */
export const evaluationParts = {
  /** Of this JSON's form. */
  format: z.literal(1),
  name: z.string(),
  /** ISO 8601 */
  time: z.string(),
  split: z.string(),
  seed: z.number().int(),
  /** Programs that made the numbers: name → version. */
  versions: z.record(z.string(), z.string()),
  /** Definition of every number, in a sentence. */
  definitions: z.record(z.string(), z.string()),
  patients: z.number().int(),
  exclusions: z.array(exclusion),
  leakage,
  /** What whoever reads the numbers should know, such as "only 3 patients". */
  notes: z.array(z.string()),
  /** Paired tests with another run that was evaluated in the same way; absent: with none. */
  comparison: runComparison.optional(),
};

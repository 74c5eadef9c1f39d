import type { Modality } from '../../modality.ts';

/** A setting for both phases, or one for each. */
export type ByPhase<T> = T | Readonly<Record<Modality, T>>;

/** The setting of a phase. */
export function ofPhase<T extends number | null>(setting: ByPhase<T>, phase: Modality): T {
  return typeof setting === 'object' && setting !== null ? setting[phase] : setting;
}

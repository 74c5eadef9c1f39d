import { UnimissError } from '../../../protocol/errors.ts';
import type { JsonObject } from '../../../protocol/json.ts';
import type { Modality } from '../../../protocol/modality.ts';
import type { Concern, Fix, Forecast, Phase } from '../../../protocol/runs/forecast.ts';

/** What a kind of run finds out about a run of a configuration before it begins, from the headers of its images. */
export interface Survey extends Pick<Forecast, 'images' | 'skipped' | 'epochs' | 'steps'> {
  /** All files that cannot be used. */
  readonly unreadable: readonly { readonly name: string; readonly reason: string }[];
  readonly phases: readonly Omit<Phase, 'secondsPerStep'>[];
  readonly concerns: readonly Concern[];
  /** Absent if the size of a step is unknown. */
  readonly cost?: Cost;
  /** Seconds after which the run ends, if its configuration sets them. */
  readonly seconds?: number;
  /** The engine's measurements of executors are kept under this (with threads and device). */
  executorKey?(group: Modality): JsonObject;
}

/** What a run needs, roughly, from sizes alone. */
export interface Cost {
  /** Peak of the process, bytes. */
  readonly memory: number;
  /** Bytes of one checkpoint. */
  readonly checkpoint: number;
  /** What to change if the memory is too small. */
  readonly smaller: {
    readonly field: string;
    readonly remedy: string;
    /** The smallest change with which `memory` is at most `bytes`; undefined if there is none. */
    fix(bytes: number): Fix | undefined;
  };
  /** Seconds of a step on a number of cores. */
  secondsPerStep(group: Modality | null, cores: number): number;
}

export interface SurveyOptions {
  readonly signal?: AbortSignal;
  /** Called with the number of headers read. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A survey of a run whose images cannot be used at all. */
export function unplanned(concerns: readonly Concern[]): Survey {
  return { images: [], unreadable: [], skipped: 0, epochs: 0, steps: 0, phases: [], concerns };
}

/** Does something, and turns the error that would refuse the run into a concern. @throws what is no such error, and 'interrupted' */
export async function concerned<T>(
  field: string,
  work: () => Promise<T>,
): Promise<{ readonly value: T } | { readonly concern: Concern }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (!(error instanceof UnimissError) || error.code === 'interrupted') throw error;
    return { concern: refusal(field, error) };
  }
}

/** The error that would refuse a run, as a concern. */
export function refusal(field: string, { code, what, details: { place, remedy } }: UnimissError): Concern {
  const named = place === undefined || place === field ? what : `${place}: ${what}`;
  return { severity: 'error', code, field, message: named, ...(remedy !== undefined && { remedy }) };
}

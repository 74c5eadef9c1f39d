import { z } from 'zod';
import { UnimissError } from '../../../protocol/errors.ts';
import type { JsonObject } from '../../../protocol/json.ts';
import type { SafetensorsFile } from '../../checkpoint/safetensorsReader.ts';
import type { TensorSource } from '../../checkpoint/safetensorsWriter.ts';
import type { TrainingPosition } from '../../train/loop.ts';
import type { SavedState } from '../../train/training.ts';

/** `format` in a checkpoint's metadata, in this version and in 0.1.0, which only did pre-training. */
const FORMAT = 'unimiss-checkpoint-2';
const FORMAT_1 = 'unimiss-pretraining-1';

const envelopeSchema = z.looseObject({ step: z.int().min(0), epochSeconds: z.number().min(0).optional() });

/** What a checkpoint says about itself. */
export interface CheckpointHead {
  readonly position: TrainingPosition;
  /** The counters of its `SavedState`. */
  readonly counters: JsonObject;
}

/**
 * Everything that a run needs to continue as if it had never stopped: tensors, and metadata in the form of safetensors (strings).
 * @param task kind of the run
 */
export function packCheckpoint(
  task: string,
  state: SavedState,
  { step, epochSeconds }: TrainingPosition,
): { tensors: TensorSource[]; metadata: Record<string, string> } {
  const counters = { step, ...(epochSeconds > 0 && { epochSeconds }), ...state.counters() };
  const tensors = state.tensors().map((t) => ({ ...t, dtype: 'F32' as const, read: () => t.read() }));
  return { tensors, metadata: { format: FORMAT, task, counters: JSON.stringify(counters) } };
}

/**
 * Reads the head of a checkpoint.
 * @throws UnimissError 'checkpoint' if it has another format, belongs to another kind of run, or cannot be read
 */
export function readHead({ file, metadata }: SafetensorsFile, task: string): CheckpointHead {
  const fail = (what: string, remedy: string) => new UnimissError('checkpoint', what, { place: file, remedy });
  const { format } = metadata;
  if (format !== FORMAT && format !== FORMAT_1)
    throw fail(
      format === undefined
        ? 'is not a checkpoint of a run'
        : `has the format "${format}", which this version cannot read`,
      'Use another checkpoint, or the version of UniMiSS that wrote it.',
    );
  const of = format === FORMAT_1 ? 'pretrain' : metadata.task;
  if (of !== task) throw fail(`belongs to a run of task "${of}", not "${task}"`, 'Use a checkpoint of this run.');
  const envelope = envelopeSchema.safeParse(parse(metadata.counters));
  if (!envelope.success)
    throw fail(
      `its counters cannot be read: ${z.prettifyError(envelope.error)}`,
      'Use another checkpoint of this run.',
    );
  const { step, epochSeconds, ...counters } = envelope.data;
  const seconds = format === FORMAT_1 ? secondsOfFormat1(counters) : epochSeconds;
  return { position: { step, epochSeconds: seconds ?? 0 }, counters: counters as JsonObject };
}

/**
 * Loads a checkpoint into the state.
 * @throws UnimissError 'checkpoint' as `readHead`, and where its tensors belong to another model: of another architecture or number of classes
 */
export async function unpackCheckpoint(
  file: SafetensorsFile,
  task: string,
  state: SavedState,
): Promise<TrainingPosition> {
  const { position, counters } = readHead(file, task);
  try {
    await state.load((name) => (file.tensors.has(name) ? file.readFloat32(name) : undefined), counters);
  } catch (error) {
    throw inFile(error, file.file);
  }
  return position;
}

/** The state knows the tensor that does not fit, but not its file. */
function inFile(error: unknown, file: string): unknown {
  if (!(error instanceof UnimissError) || error.code !== 'checkpoint' || error.details.place === file) return error;
  const { what, details } = error;
  const tensor = details.place === 'counters' ? '' : `${details.place} `;
  return new UnimissError('checkpoint', `does not fit this run: ${tensor}${what}`, {
    ...details,
    place: file,
    remedy: 'Use a checkpoint of this run, with the configuration and the classes that it began with.',
  });
}

function secondsOfFormat1(counters: Record<string, unknown>): number | undefined {
  return z.object({ meter: z.object({ seconds: z.number() }) }).safeParse(counters).data?.meter.seconds;
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined; // the schema reports what is missing
  }
}

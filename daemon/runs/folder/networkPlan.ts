import { z } from 'zod';
import { channel } from '../../../protocol/config/finetune/schema.ts';
import { presetNames } from '../../../protocol/config/pretrain/presets.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { readRunFile } from '../../files/runFile.ts';
import type { RunFolder } from './runFolder.ts';

const side = z.int().min(1);
const millimeters = z.number().positive();

/** What a fine-tuned network needs to be used on a new image, beside its weights: `network.json` of a run. */
export const networkPlanSchema = z.object({
  format: z.literal(1),
  problem: z.enum(['segmentation', 'classification']),
  modality: z.enum(['2D', '3D']),
  labels: z.enum(['exclusive', 'overlapping']),
  /** The network's outputs in their order, with the values that label maps have for them. */
  classes: z.array(z.object({ name: z.string(), values: z.array(z.int()) })).min(1),
  /** Value in label maps of voxels that count for nothing. */
  ignore: z.int().nullable(),
  preset: z.enum(presetNames),
  /** Stages of the encoder. Absent in runs of earlier versions: 4. */
  stages: z.union([z.literal(3), z.literal(4)]).optional(),
  /** [H, W] or [D, H, W]. */
  patch: z.union([z.tuple([side, side]), z.tuple([side, side, side])]),
  fit: z.enum(['crop', 'resize']),
  /** mm, [slice, x, y]; null: as stored. */
  spacing: z.tuple([millimeters, millimeters, millimeters]).nullable(),
  channels: z.array(channel).min(1),
  /** How far the images of the training lie off the patient's axes at most, degrees. Absent in runs of earlier versions: not known. */
  tilt: z.number().min(0).max(90).optional(),
  /** Classes of which predictions keep the largest component only: found on validation cases. */
  largestComponent: z.array(z.string()).optional(),
});
export type NetworkPlan = z.infer<typeof networkPlanSchema>;

export function writeNetworkPlan(run: RunFolder, plan: NetworkPlan): Promise<void> {
  return writeTextAtomically(run.networkFile, `${JSON.stringify(plan, null, 1)}\n`);
}

/** Bytes that the file may have: some thousand classes. */
const most = 4 << 20;

/** The plan of a run's network; undefined where the run has not begun. @throws UnimissError 'run' where it cannot be read */
export async function readNetworkPlan(run: RunFolder): Promise<NetworkPlan | undefined> {
  const bytes = await readRunFile(run.networkFile, { within: run.folder, most });
  if (!bytes) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    value = undefined;
  }
  const checked = networkPlanSchema.safeParse(value);
  if (checked.success) return checked.data;
  throw new UnimissError('run', `cannot be read: ${z.prettifyError(checked.error)}`, {
    place: run.networkFile,
    remedy: 'Restore it from a backup.',
  });
}

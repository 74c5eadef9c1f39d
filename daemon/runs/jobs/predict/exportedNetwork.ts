import { basename, join } from 'node:path';
import { z } from 'zod';
import { defaultEngine } from '../../../../protocol/config/shared.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import { SafetensorsFile } from '../../../checkpoint/safetensorsReader.ts';
import { readRunFile } from '../../../files/runFile.ts';
import { networkPlanSchema } from '../../folder/networkPlan.ts';
import { fileIdentity, type NetworkSource } from './networkSource.ts';

/** The file that makes a folder an export of `unimiss export`. */
export const planFile = 'plan.json';
const weightsFile = 'model.safetensors';

/** What a prediction needs of `AdaptationPlan`. */
const exportedPlan = z.object({
  format: z.literal('unimiss-plan-1'),
  task: z.string(),
  step: z.int().min(0),
  network: networkPlanSchema.nullable(),
});

/** Bytes that the file may have: some thousand classes. */
const most = 4 << 20;

/**
 * The network of a folder that `unimiss export` wrote.
 * @throws UnimissError 'run' if its plan cannot be read, or is that of a pre-training
 */
export async function exportedNetwork(folder: string): Promise<NetworkSource> {
  const place = join(folder, planFile);
  const { task, step, network } = await readPlan(place, folder);
  if (!network)
    throw new UnimissError('run', `holds the weights of a run of the kind "${task}", which predicts no labels`, {
      place: folder,
      remedy: `Fine-tune them on labelled images first: \`unimiss finetune CONFIG --from ${join(folder, weightsFile)}\`.`,
    });
  return {
    ...{ folder, id: basename(folder), plan: network, engine: defaultEngine(), versions: undefined, notices: [] },
    identity: () => fileIdentity(join(folder, weightsFile)),
    async openWeights() {
      const file = await SafetensorsFile.open(join(folder, weightsFile), folder);
      try {
        await file.verify({ optional: true }); // others may have saved it anew
      } catch (error) {
        await file.close();
        throw error;
      }
      return { step, file, prefix: '' };
    },
  };
}

async function readPlan(place: string, folder: string): Promise<z.output<typeof exportedPlan>> {
  const bytes = await readRunFile(place, { within: folder, most });
  let value: unknown;
  try {
    value = JSON.parse(bytes?.toString('utf8') ?? '');
  } catch {
    value = undefined;
  }
  const checked = exportedPlan.safeParse(value);
  if (checked.success) return checked.data;
  throw new UnimissError('run', `is not the plan of an export: ${z.prettifyError(checked.error)}`, {
    place,
    remedy: 'Export the run again: `unimiss export RUN -o DIR`.',
  });
}

import { UnimissError } from '../../protocol/errors.ts';
import { SafetensorsFile } from '../checkpoint/safetensorsReader.ts';
import type { MitConfig } from '../model/config.ts';
import { learns, parameterTable } from '../model/parameters.ts';
import type { FirstValues } from '../train/pretrain/state.ts';

/** What programs put before a parameter's name: ours, and the reference's data-parallel wrapper. */
const prefixes = ['student.', 'teacher.', 'module.', ''];

/**
 * The weights that a run starts with, from a safetensors file with the reference's names: a checkpoint of ours (its student) or the
 * reference's weights, with or without `module.`.
 * @throws UnimissError 'checkpoint' naming the first parameter that is missing or has another shape
 */
export async function readInitialWeights(path: string, model: MitConfig): Promise<FirstValues> {
  const file = await SafetensorsFile.open(path);
  try {
    await file.verify({ optional: true });
    const values = new Map<string, Float32Array>();
    for (const spec of parameterTable(model).filter(learns)) {
      const name = prefixes.map((prefix) => prefix + spec.name).find((candidate) => file.tensors.has(candidate));
      if (!name)
        throw new UnimissError('checkpoint', `has no parameter "${spec.name}"`, {
          place: path,
          remedy: 'train.initialWeights must come from the same model preset and head.',
        });
      values.set(spec.name, await file.readFloat32(name, spec.shape));
    }
    return (name) => values.get(name) as Float32Array;
  } finally {
    await file.close();
  }
}

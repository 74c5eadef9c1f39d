import { UnimissError } from '../../../protocol/errors.ts';
import { SafetensorsFile } from '../../checkpoint/safetensorsReader.ts';
import type { MitConfig } from '../../model/config.ts';
import { parameterTable } from '../../model/parameters.ts';
import type { FirstValues } from '../../train/parameters/firstValues.ts';

/** What programs put before a parameter's name: ours, and the reference's data-parallel wrapper. */
const prefixes = ['student.', 'teacher.', 'module.', ''];

/**
 * The weights that a run starts with, from a safetensors file with the reference's names: a checkpoint of ours (its student) or the
 * reference's weights, with or without `module.`.
 * @throws UnimissError 'checkpoint' naming the first parameter that is missing or has another shape
 */
export async function readInitialWeights(path: string, model: MitConfig): Promise<FirstValues> {
  return withWeights(path, model, async (file, parameters) => {
    await file.verify({ optional: true });
    const values = new Map<string, Float32Array>();
    for (const { name, tensor, shape } of parameters) values.set(name, await file.readFloat32(tensor, shape));
    return ({ name }) => values.get(name) as Float32Array;
  });
}

/** Whether a file can be read as `readInitialWeights` does, by its header alone. Throws the same. */
export function checkInitialWeights(path: string, model: MitConfig): Promise<void> {
  return withWeights(path, model, async (file, parameters) => {
    for (const { tensor, shape } of parameters) file.checkFloat32(tensor, shape);
  });
}

/** A parameter of the network, and the tensor of a file that holds it. */
interface Placed {
  name: string;
  tensor: string;
  shape: readonly number[];
}

async function withWeights<T>(
  path: string,
  model: MitConfig,
  use: (file: SafetensorsFile, parameters: Placed[]) => Promise<T>,
): Promise<T> {
  const file = await SafetensorsFile.open(path);
  try {
    const parameters = parameterTable(model)
      .filter(({ learns }) => learns)
      .map(({ name, shape }) => {
        const tensor = prefixes.map((prefix) => prefix + name).find((candidate) => file.tensors.has(candidate));
        if (tensor) return { name, tensor, shape };
        throw new UnimissError('checkpoint', `has no parameter "${name}"`, {
          place: path,
          remedy: 'train.initialWeights must come from the same model preset and head.',
        });
      });
    return await use(file, parameters);
  } finally {
    await file.close();
  }
}

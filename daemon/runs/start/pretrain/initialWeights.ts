import { openTensorFile } from '../../../checkpoint/openTensorFile.ts';
import type { MitConfig } from '../../../model/config.ts';
import { type ParameterSpec, parameterTable } from '../../../model/parameters.ts';
import { type FirstValues, seededValues } from '../../../train/parameters/firstValues.ts';
import { describeWeights, planWeights, takeWeights } from '../../../train/parameters/takeWeights.ts';
import type { Finding } from '../../../train/training.ts';

/** A file must contain the backbone; the head may differ. */
const required = ({ group, grid }: ParameterSpec) => group === 'backbone' && grid === undefined;

/**
 * Reads the weights that a run starts with from a safetensors or PyTorch file with the reference's names, and reports which were used.
 * @param seed for values that the file lacks
 * @throws UnimissError 'checkpoint', which names the first parameter of the backbone that is missing or has another shape
 */
export async function readInitialWeights(
  path: string,
  { model, seed }: { model: MitConfig; seed: number },
): Promise<{ first: FirstValues; finding: Finding }> {
  const file = await openTensorFile(path);
  try {
    const want = { fresh: seededValues(seed), required, sameSlices: true };
    const { first, report } = await takeWeights(file, parameterTable(model), want);
    const { taken, resized, fresh, unused } = report;
    const details = {
      taken: taken.length,
      resized: resized.map(({ name, from, to }) => ({ name, from: [...from], to: [...to] })),
      fresh: [...fresh],
      unused: [...unused],
    };
    return { first, finding: { event: 'notice', message: describeWeights(path, report), details } };
  } finally {
    await file.close();
  }
}

/** Checks by its header alone whether `readInitialWeights` can read a file. Throws the same errors. */
export async function checkInitialWeights(path: string, model: MitConfig): Promise<void> {
  const file = await openTensorFile(path);
  try {
    planWeights(file, parameterTable(model), { required, sameSlices: true });
  } finally {
    await file.close();
  }
}

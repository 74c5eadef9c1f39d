import { join } from 'node:path';
import { type Evaluation, evaluation as evaluationSchema } from '../../../protocol/evaluation/evaluation.ts';
import { evaluationFiles } from '../../evaluate/metrics/writeEvaluation.ts';
import { readRunFile } from '../../files/runFile.ts';
import type { RunFolder } from '../folder/runFolder.ts';

/** Largest evaluation that is read, bytes. */
const most = 2 ** 28;

/**
 * What an evaluation of a checkpoint found: on the test cases, else on those for validation.
 * @param step of the checkpoint
 * @param notice told of an evaluation that cannot be read
 * @returns undefined where there is none
 */
export async function evaluationOf(
  run: RunFolder,
  step: number,
  notice: (message: string) => void,
): Promise<Evaluation | undefined> {
  for (const split of ['test', 'validation']) {
    const file = join(run.folder, 'evaluations', `${split}-${step}`, evaluationFiles.json);
    const bytes = await readRunFile(file, { within: run.folder, most });
    if (!bytes) continue;
    const read = evaluationSchema.safeParse(parsed(bytes));
    if (read.success) return read.data;
    notice(`${file} is no evaluation that this version can read, so its numbers are not on the card. Evaluate again.`);
  }
  return undefined;
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined; // the schema refuses it
  }
}

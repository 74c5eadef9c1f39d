import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UnimissError } from '../../../protocol/errors.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { listRuns, runState } from '../../runs/records/list.ts';
import type { Reporter } from '../terminal/reporter.ts';
import type { ArmRun, OpenedExperiment } from './experimentFile.ts';
import type { CompareSteps } from './steps.ts';

/** Folder of the features of a run on the test images. */
export function featuresFolder(out: string, name: string): string {
  return join(out, 'features', name);
}

/** The features of random weights of a seed, for the baseline. */
export const randomName = (seed: number) => `random-s${seed}`;

/**
 * Trains what is not trained yet and computes features that are not there yet, run by run. Killed at any moment, it continues: a run is
 * found by its name, and features appear under their name when they are complete.
 * @returns false where a run was stopped: the rest waits for the next call
 */
export async function runArms(
  { runs, manifest, experiment }: OpenedExperiment,
  { out, root, steps, reporter }: { out: string; root: string; steps: CompareSteps; reporter: Reporter },
): Promise<boolean> {
  for (const [i, run] of runs.entries()) {
    const features = featuresFolder(out, run.name);
    if (existsSync(features)) continue;
    reporter.notice(`Run ${i + 1} of ${runs.length}: ${run.name}`);
    const folder = (await existing(root, run)) ?? (await steps.create(run.config, root));
    if ((await runState(await RunFolder.open(folder))) !== 'finished' && (await steps.train(folder)) === 'stopped')
      return false;
    // The first arm of each seed shows what its random weights know.
    const random = featuresFolder(out, randomName(run.seed));
    if (run.arm === Object.keys(experiment.arms)[0] && !existsSync(random))
      await appears(random, (place) => steps.embed(folder, manifest, 'initial', place));
    await appears(features, (place) => steps.embed(folder, manifest, 'last', place));
  }
  return true;
}

/** Makes a folder under another name first, so that what is there is complete. */
async function appears(folder: string, make: (place: string) => Promise<void>): Promise<void> {
  const place = `${folder}.part`;
  await rm(place, { recursive: true, force: true });
  await make(place);
  await rename(place, folder);
}

/**
 * The run of that name, from an earlier call.
 * @throws UnimissError 'run' where it was made from another configuration
 */
async function existing(root: string, { name, config }: ArmRun): Promise<string | undefined> {
  const found = (await listRuns(root)).runs.filter((run) => run.name === name);
  const [newest] = found;
  if (!newest) return undefined;
  const run = await RunFolder.open(newest.folder);
  // The order of fields does not matter, nor undefined ones, which no file has.
  if (isDeepStrictEqual(plain(run.config), plain(config))) return newest.folder;
  throw new UnimissError('run', 'was made from another configuration than the experiment gives it', {
    place: basename(newest.folder),
    remedy: 'Delete or rename that run, or give the experiment another name.',
  });
}

function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}

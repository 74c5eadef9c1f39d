import { existsSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import type { JobType } from '../../../protocol/jobs/jobRequest.ts';
import { openSources } from '../../runs/jobs/predict/openSources.ts';
import { devicesOf } from '../../runs/supervise/devicesOf.ts';
import type { RunRegistry } from '../feeds/runRegistry.ts';

/** Where the network of a job is. */
export interface JobPlace {
  readonly folder: string;
  /** For people. */
  readonly id: string;
  readonly devices: readonly string[];
}

/**
 * Finds a run by its name or folder; for jobs that take these (`exports`), also an export or a folder of several runs.
 * @throws UnimissError 'run' if there is none
 */
export async function jobPlace(
  ref: string,
  { exports = false }: Pick<JobType, 'exports'>,
  registry: RunRegistry,
): Promise<JobPlace> {
  if (exports && isAbsolute(ref) && existsSync(ref) && !existsSync(join(ref, 'run.json'))) {
    const [{ engine }] = await openSources([ref], registry.kinds);
    return { folder: ref, id: basename(ref), devices: devicesOf({ config: { engine } }) };
  }
  const run = await registry.find(ref);
  return { folder: run.folder, id: run.id, devices: devicesOf(run) };
}

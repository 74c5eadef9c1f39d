import { readdir } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { type FinetuneConfig, finetuneKind, requireFinetune } from '../../../../protocol/config/finetune/index.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import { CheckpointStore } from '../../../checkpoint/store.ts';
import { RunFolder } from '../../folder/runFolder.ts';

/** A run that another one is compared with. */
export interface OtherRun {
  readonly run: RunFolder;
  /** Whether one is the from-scratch twin of the other. */
  readonly twin: boolean;
}

/**
 * The run to compare with: the named one, else the twin from scratch, or the run that this one is the twin of.
 * @param named its name beside `run`, or its folder; undefined: the twin; null: none
 * @param notice told why a twin is not compared with
 * @throws UnimissError 'run' where there is no such run, or it was made for other data or another problem
 */
export async function otherRun(
  run: RunFolder,
  named: string | null | undefined,
  notice: (message: string) => void,
): Promise<OtherRun | undefined> {
  if (named === null) return undefined;
  const root = dirname(run.folder);
  if (named !== undefined) {
    const other = isAbsolute(named) ? await RunFolder.open(named) : await RunFolder.named(root, named);
    if (other.folder === run.folder)
      throw new UnimissError('run', 'cannot be compared with itself', { place: run.id, remedy: 'Name another run.' });
    requireAlike(run, other);
    return { run: other, twin: areTwins(run, other) };
  }
  const twin = await twinIn(root, run);
  if (!twin) return undefined;
  const none = (why: string) => {
    notice(`Not compared with its twin ${twin.id}: ${why}`);
    return undefined;
  };
  try {
    requireAlike(run, twin);
  } catch (error) {
    if (!(error instanceof UnimissError)) throw error;
    return none(error.what);
  }
  const store = new CheckpointStore(twin.checkpointsFolder);
  if (!(await store.best()) && (await store.list()).length === 0) return none('it has no checkpoint yet.');
  return { run: twin, twin: true };
}

function areTwins(one: RunFolder, other: RunFolder): boolean {
  const of = (run: RunFolder) => requireFinetune(run.config).start.twinOf;
  return of(one) === other.id || of(other) === one.id;
}

/** The newest twin of a run in the folder of runs. */
async function twinIn(root: string, run: RunFolder): Promise<RunFolder | undefined> {
  const twins: RunFolder[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === run.id) continue;
    const other = await RunFolder.open(join(root, entry.name)).catch((error: unknown) => {
      // A folder that is no run, or one that cannot be read, is no twin.
      if (error instanceof UnimissError) return undefined;
      throw error;
    });
    if (other?.task === finetuneKind.task && other.readable && areTwins(run, other)) twins.push(other);
  }
  return twins.sort((a, b) => b.about.created.localeCompare(a.about.created))[0];
}

/** @throws UnimissError 'run' where two runs cannot be compared on the same cases */
function requireAlike(run: RunFolder, other: RunFolder): void {
  const [own, others] = [requireFinetune(run.config), requireFinetune(other.config)];
  const facts: [name: string, of: (config: FinetuneConfig) => string][] = [
    ['problem', ({ problem }) => problem],
    ['labels', ({ labels }) => labels],
    ['data.path', ({ data }) => data.path],
  ];
  for (const [name, of] of facts)
    if (of(own) !== of(others))
      throw new UnimissError('run', `its \`${name}\` is ${of(others)}, but that of ${run.id} is ${of(own)}`, {
        place: other.id,
        remedy: 'Compare runs that were trained for the same problem on the same data set.',
      });
}

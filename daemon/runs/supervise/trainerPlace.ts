import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { secureSocketFolder, shortSocketPath } from '../../files/socketPath.ts';
import type { RunFolder } from '../folder/runFolder.ts';

const placeSchema = z.object({ run: z.string(), socket: z.string(), output: z.string() });

/** Where a trainer is reached, and where what it writes goes. */
export interface TrainerPlace extends z.infer<typeof placeSchema> {
  /** The file that says all this. */
  file: string;
}

/** A place without a socket is kept so long for the trainer that may still be starting, ms. */
const STARTING = 60_000;

/**
 * Makes the place for a new trainer of a run: a file `<id>.json` in a folder of the user's alone, so that a run is found wherever it
 * lies. The output goes into the run; where a run hides names (`records.hidePaths`), beside the socket, since it may hold some.
 */
export async function makeTrainerPlace(trainers: string, run: RunFolder): Promise<TrainerPlace> {
  await secureSocketFolder(trainers);
  const base = join(trainers, randomBytes(6).toString('hex'));
  const place = {
    run: run.folder,
    socket: shortSocketPath(`${base}.sock`),
    output: run.config.records.hidePaths ? `${base}.out` : run.outputFile,
  };
  const file = `${base}.json`;
  await writeTextAtomically(file, `${JSON.stringify(place)}\n`);
  return { ...place, file };
}

/** @throws UnimissError 'run' where the file is none that `makeTrainerPlace` wrote */
export async function readTrainerPlace(file: string): Promise<TrainerPlace> {
  try {
    return { ...placeSchema.parse(JSON.parse(await readFile(file, 'utf8'))), file };
  } catch (cause) {
    throw new UnimissError('run', `cannot be read: ${messageOf(cause)}`, {
      place: file,
      remedy: 'Only the daemon can use this command. Use `unimiss resume RUN`.',
      cause,
    });
  }
}

/** The places of all trainers that daemons here have started and that have not been removed since. */
export async function trainerPlaces(trainers: string): Promise<TrainerPlace[]> {
  const names = await readdir(trainers).catch(() => []);
  const files = names.filter((name) => /^[0-9a-f]{12}\.json$/.test(name)).map((name) => join(trainers, name));
  // One that has just ended removes its own.
  const places = await Promise.all(files.map((file) => readTrainerPlace(file).catch(() => undefined)));
  return places.filter((place) => place !== undefined);
}

/** Removes what a trainer that has ended leaves outside its run. */
export async function removeTrainerPlace({ file, socket, output, run }: TrainerPlace): Promise<void> {
  for (const path of [socket, ...(output.startsWith(`${run}/`) ? [] : [output]), file]) await rm(path, { force: true });
}

/** Whether a trainer that does not listen yet may still be starting here. */
export async function mayBeStarting({ file, socket }: TrainerPlace, now = Date.now()): Promise<boolean> {
  const [made, begun] = await Promise.all([file, socket].map((path) => stat(path).catch(() => undefined)));
  return begun === undefined && made !== undefined && now - made.mtimeMs < STARTING;
}

import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { secureSocketFolder, shortSocketPath } from '../../files/socketPath.ts';
import type { RunFolder } from '../folder/runFolder.ts';

const placeSchema = z.object({ run: z.string(), socket: z.string(), output: z.string() });

/** The socket of a trainer, and the file for its output. */
export interface TrainerPlace extends z.infer<typeof placeSchema> {
  /** The file with this description. */
  file: string;
}

/** A place without a socket is kept this long, since its trainer may still be starting, ms. */
const STARTING = 60_000;

/**
 * Makes the place for a new trainer of a run: a file `<id>.json` in a private folder of the user, so that daemons find a run in
 * any folder. The output goes into the run. If the run hides names (`records.hidePaths`), it goes beside the socket, since it may
 * contain names.
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

/** @throws UnimissError 'run' if `makeTrainerPlace` did not write the file */
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

/** The places of all trainers that daemons here have started, unless removed since. */
export async function trainerPlaces(trainers: string): Promise<TrainerPlace[]> {
  const names = await readdir(trainers).catch(() => []);
  const files = names.filter((name) => /^[0-9a-f]{12}\.json$/.test(name)).map((name) => join(trainers, name));
  // A trainer that has just ended removes its own.
  const places = await Promise.all(files.map((file) => readTrainerPlace(file).catch(() => undefined)));
  return places.filter((place) => place !== undefined);
}

/** Removes what an ended trainer leaves outside its run. */
export async function removeTrainerPlace({ file, socket, output, run }: TrainerPlace): Promise<void> {
  for (const path of [socket, ...(output.startsWith(`${run}/`) ? [] : [output]), file]) await rm(path, { force: true });
}

/** Whether a trainer that does not listen yet may still be starting here. */
export async function mayBeStarting({ file, socket }: TrainerPlace, now = Date.now()): Promise<boolean> {
  const [made, begun] = await Promise.all([file, socket].map((path) => stat(path).catch(() => undefined)));
  return begun === undefined && made !== undefined && now - made.mtimeMs < STARTING;
}

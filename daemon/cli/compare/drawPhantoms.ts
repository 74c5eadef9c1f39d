import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Phantoms } from '../../../protocol/compare/experiment.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { jsonOf } from '../../../protocol/json.ts';
import { modalities } from '../../../protocol/modality.ts';
import { conditions } from '../../data/phantoms/anatomy.ts';
import { type PhantomOptions, phantomDrawing, sizeOf, writePhantoms } from '../../data/phantoms/write.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import type { Reporter } from '../terminal/reporter.ts';

/** Says in a folder of phantoms how they were drawn. */
const drawingFile = 'phantoms.json';

/** A folder of phantoms of an experiment. */
export interface DrawnFolder {
  /** Absolute. */
  readonly folder: string;
  readonly options: PhantomOptions;
}

/** @throws UnimissError 'config' for a condition that phantoms do not have */
export function drawingOf({ seed, volumes, images, only, ...sizes }: Phantoms, place: string): PhantomOptions {
  const named = modalities.flatMap((modality) => {
    const asked = only?.[modality];
    if (!asked) return [];
    const own = conditions.filter((condition) => asked.includes(condition));
    if (own.length === asked.length) return [[modality, own] as const];
    throw new UnimissError('config', `${asked.join(', ')} are not conditions of phantoms`, {
      place: `${place}.only.${modality}`,
      remedy: `Write some of ${conditions.join(', ')}.`,
    });
  });
  return {
    ...{ seed, volumes, images, conditions: Object.fromEntries(named) },
    size: sizeOf(sizes),
  };
}

/** Draws the phantoms of an experiment that are not there yet. A folder appears when it is complete. */
export async function drawPhantoms(folders: readonly DrawnFolder[], reporter: Reporter): Promise<void> {
  for (const { folder, options } of folders) {
    // The manifest is written last.
    if (existsSync(join(folder, 'manifest.csv'))) {
      await requireDrawing(folder, options, reporter);
      continue;
    }
    if (existsSync(folder))
      throw new UnimissError('config', 'is no folder of phantoms', {
        place: folder,
        remedy: 'Delete it, or name another folder in `phantoms`.',
      });
    const part = `${folder}.part`;
    await rm(part, { recursive: true, force: true });
    await writePhantoms(part, {
      ...options,
      onProgress: (done, total) => reporter.progress(`Drawing phantoms ${done} of ${total}`, done === total),
    });
    await writeTextAtomically(join(part, drawingFile), `${JSON.stringify(drawnBy(options))}\n`);
    await rename(part, folder);
  }
}

/** All that decides the images. */
function drawnBy({ seed, volumes, images, conditions, size }: PhantomOptions): object {
  return { drawing: phantomDrawing, seed, volumes, images, conditions, size };
}

/** Refuses phantoms that were drawn otherwise. Folders of earlier versions do not say how; these are taken. */
async function requireDrawing(folder: string, options: PhantomOptions, reporter: Reporter): Promise<void> {
  const file = join(folder, drawingFile);
  if (!existsSync(file)) {
    reporter.notice(`${folder} does not say how its phantoms were drawn; they are taken as they are.`);
    return;
  }
  if (isDeepStrictEqual(jsonOf(await readFile(file, 'utf8')), jsonOf(JSON.stringify(drawnBy(options))))) return;
  throw new UnimissError('config', 'has phantoms that were drawn otherwise than the experiment says', {
    place: folder,
    remedy: 'Delete the folder, and it is drawn anew; or name another folder in `phantoms`.',
  });
}

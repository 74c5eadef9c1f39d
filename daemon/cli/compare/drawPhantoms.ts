import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Phantoms } from '../../../protocol/compare/experiment.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { modalities } from '../../../protocol/modality.ts';
import { conditions } from '../../data/phantoms/anatomy.ts';
import { type PhantomOptions, sizeOf, writePhantoms } from '../../data/phantoms/write.ts';
import type { Reporter } from '../terminal/reporter.ts';

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
    if (existsSync(join(folder, 'manifest.csv'))) continue;
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
    await rename(part, folder);
  }
}

import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import type { Preview } from '../../../protocol/metrics/page.ts';
import { modalitySchema } from '../../../protocol/modality.ts';
import type { EventRecord } from '../../../protocol/records/records.ts';
import { pngDataUri } from '../../evaluate/report/report.ts';
import type { RunFolder } from '../folder/runFolder.ts';

const detailsSchema = z.object({ phase: modalitySchema, images: z.array(z.array(z.string())) });

/** A set of views that was saved: names of files in the previews folder, by image. */
export interface SavedPreview extends z.infer<typeof detailsSchema> {
  step: number;
  epoch: number;
}

/** What a `preview` event says; undefined for one that another version wrote otherwise. */
export function savedPreview({ step = 0, epoch = 0, details }: EventRecord): SavedPreview | undefined {
  const { data } = detailsSchema.safeParse(details);
  return data && { step, epoch, ...data };
}

/** Bytes of pictures in one message. */
const LIMIT = 8 << 20;

/** The named previews as data URIs; null where one is gone, or would make the whole larger than 8 MiB. */
export async function readPreviews(run: RunFolder, names: string[], limit = LIMIT): Promise<(string | null)[]> {
  let left = limit;
  const images: (string | null)[] = [];
  for (const name of names) {
    const file = run.previewFile(name);
    const size = await stat(file).then(
      (found) => (found.isFile() ? found.size : undefined),
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      },
    );
    // Base64 makes four characters of three bytes.
    const length = size === undefined ? Number.POSITIVE_INFINITY : Math.ceil((4 * size) / 3) + 32;
    if (length > left) images.push(null);
    else {
      images.push(pngDataUri(await readFile(file)));
      left -= length;
    }
  }
  return images;
}

/** Sets of views as the metrics component takes them; pictures that are gone are left out. The newest come first to the limit. */
export async function loadPreviews(run: RunFolder, saved: readonly SavedPreview[]): Promise<Preview[]> {
  const loaded: Preview[] = [];
  let left = LIMIT;
  for (const { step, epoch, phase, images } of saved.toReversed()) {
    const slices = phase === '3D' ? run.config.model.size3D[0] : undefined;
    const shown: Preview['images'] = [];
    for (const names of images) {
      const views = (await readPreviews(run, names, left)).filter((view) => view !== null);
      left -= views.reduce((sum, view) => sum + view.length, 0);
      if (views.length > 0) shown.push({ views, ...(slices !== undefined && { slices }) });
    }
    if (shown.length > 0) loaded.unshift({ step, epoch, phase, images: shown });
  }
  return loaded;
}

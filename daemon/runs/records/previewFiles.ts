import { z } from 'zod';
import { messageOf } from '../../../protocol/errors.ts';
import type { Preview } from '../../../protocol/metrics/page.ts';
import { modalitySchema } from '../../../protocol/modality.ts';
import type { EventRecord } from '../../../protocol/records/records.ts';
import { pngDataUri } from '../../evaluate/report/report.ts';
import { readRunFile } from '../../files/runFile.ts';
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
    const image = await readPreview(run, name, left);
    images.push(image);
    left -= image?.length ?? 0;
  }
  return images;
}

/** @param limit characters that it may have */
async function readPreview(run: RunFolder, name: string, limit: number): Promise<string | null> {
  // Base64 makes four characters of three bytes.
  const most = Math.floor((3 * (limit - 32)) / 4);
  const bytes = await readRunFile(run.previewFile(name), { within: run.folder, most });
  return bytes ? pngDataUri(bytes) : null;
}

/**
 * Sets of views as the metrics component takes them. Pictures that are gone are skipped; those that cannot be read (an impossible
 * name, a link) too, each with a notice (a panel gives none: `unimiss metrics` names them). The newest come first to the limit.
 */
export async function loadPreviews(
  run: RunFolder,
  saved: readonly SavedPreview[],
  notice: (message: string) => void = () => undefined,
): Promise<Preview[]> {
  const loaded: Preview[] = [];
  let left = LIMIT;
  for (const { step, epoch, phase, images } of saved.toReversed()) {
    const slices = phase === '3D' ? run.summary.slices : undefined;
    const shown: Preview['images'] = [];
    for (const names of images) {
      const views: string[] = [];
      for (const name of names) {
        const view = await readPreview(run, name, left).catch((error: unknown) => {
          notice(`A preview was skipped: ${messageOf(error)}`);
          return null;
        });
        if (view === null) continue;
        views.push(view);
        left -= view.length;
      }
      if (views.length > 0) shown.push({ views, ...(slices !== undefined && { slices }) });
    }
    if (shown.length > 0) loaded.unshift({ step, epoch, phase, images: shown });
  }
  return loaded;
}

import { z } from 'zod';
import { messageOf } from '../../../protocol/errors.ts';
import type { Preview } from '../../../protocol/metrics/page.ts';
import { modalitySchema } from '../../../protocol/modality.ts';
import type { EventRecord } from '../../../protocol/records/records.ts';
import { pngDataUri } from '../../evaluate/report/report.ts';
import { readRunFile } from '../../files/runFile.ts';
import type { RunFolder } from '../folder/runFolder.ts';

const detailsSchema = z.object({
  /** null: a run without groups. */
  phase: z.nullable(modalitySchema),
  images: z.array(z.array(z.string())),
  /** Names of the images; earlier versions recorded none. */
  names: z.array(z.string().nullable()).optional(),
});

/** A saved set of views: names of files in the previews folder, by image. */
export interface SavedPreview extends z.infer<typeof detailsSchema> {
  step: number;
  epoch: number;
}

/** The content of a `preview` event; undefined if another version wrote it differently. */
export function savedPreview({ step = 0, epoch = 0, details }: EventRecord): SavedPreview | undefined {
  const { data } = detailsSchema.safeParse(details);
  return data && { step, epoch, ...data };
}

/** What is needed of a run to read its previews. */
type Run = Pick<RunFolder, 'folder' | 'previewFile' | 'summary'>;

/** Bytes of pictures in one message. */
const LIMIT = 8 << 20;

/** The named previews as data URIs; null for one that is gone, or would make the whole larger than 8 MiB. */
export async function readPreviews(run: Run, names: string[], limit = LIMIT): Promise<(string | null)[]> {
  let left = limit;
  const images: (string | null)[] = [];
  for (const name of names) {
    const image = await readPreview(run, name, left);
    images.push(image);
    left -= image?.length ?? 0;
  }
  return images;
}

/** @param limit largest length, characters */
async function readPreview(run: Run, name: string, limit: number): Promise<string | null> {
  // Base64 turns three bytes into four characters.
  const most = Math.floor((3 * (limit - 32)) / 4);
  const bytes = await readRunFile(run.previewFile(name), { within: run.folder, most });
  return bytes ? pngDataUri(bytes) : null;
}

/**
 * Sets of views for the metrics component, the newest first, up to the limit. Skips pictures that are gone. Also skips unreadable
 * ones (an impossible name, a link), each with a notice (panels pass no `notice`: `unimiss metrics` names them).
 */
export async function loadPreviews(
  run: Run,
  saved: readonly SavedPreview[],
  notice: (message: string) => void = () => undefined,
): Promise<Preview[]> {
  const loaded: Preview[] = [];
  let left = LIMIT;
  const { pictures } = run.summary;
  const only = run.summary.slices === undefined ? '2D' : '3D';
  for (const { step, epoch, phase: group, images, names: known = [] } of saved.toReversed()) {
    const phase = group ?? only;
    const slices = phase === '3D' ? run.summary.slices : undefined;
    const shown: Preview['images'] = [];
    for (const [n, names] of images.entries()) {
      const name = known[n];
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
      if (views.length > 0)
        shown.push({
          ...(name && { name }),
          views,
          ...(pictures && { titles: pictures.slice(0, views.length) }),
          ...(slices !== undefined && { slices }),
        });
    }
    if (shown.length > 0) loaded.unshift({ step, epoch, phase, images: shown });
  }
  return loaded;
}

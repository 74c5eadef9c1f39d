import { basename, join } from 'node:path';
import { z } from 'zod';
import { UnimissError } from '../../../../../protocol/errors.ts';
import { type FoundImage, imagesIn, listFolder } from '../names.ts';
import type { Finding, SegmentationCase, SplitName } from '../types.ts';
import { type Draft, readJson } from './draft.ts';
import { labelClasses, namedValues } from './labelClasses.ts';

/** `dataset.json` of nnU-Net v2 (documentation/dataset_format.md there). */
const description = z.object({
  name: z.string().optional(),
  channel_names: z.record(z.string().regex(/^\d+$/, 'channels are numbered "0", "1", …'), z.string().min(1)),
  labels: namedValues,
});

/** Whether a parsed `dataset.json` is nnU-Net's (version 2). */
export function isNnunet(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'channel_names' in value;
}

/**
 * nnU-Net's raw data: `imagesTr/CASE_0000.nii.gz` (a file a channel), `labelsTr/CASE.nii.gz`, `imagesTs`, `labelsTs`, `dataset.json`.
 * Labels that are lists of values (regions) may overlap; the label named `ignore` counts for nothing.
 * @throws UnimissError('data') for a description that cannot be used
 */
export async function draftNnunet(root: string): Promise<Draft> {
  const file = join(root, 'dataset.json');
  const { name, channel_names, labels: given } = await readJson(file, description);
  const channels = Object.entries(channel_names)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, channel]) => channel);
  if (Object.keys(channel_names).some((key) => Number(key) >= channels.length))
    throw new UnimissError('data', `numbers its channels ${Object.keys(channel_names).join(', ')}`, {
      place: `${file}: channel_names`,
      remedy: 'Number them from 0 without gaps.',
    });
  const { labels, ignore, exclusive } = labelClasses(given, `${file}: labels`);
  const findings: Finding[] = [];
  const { folders } = await listFolder(root);
  const cases: SegmentationCase[] = [];
  for (const [images, masks, split] of [
    ['imagesTr', 'labelsTr', null],
    ['imagesTs', 'labelsTs', 'test'],
  ] as const) {
    if (!folders.includes(images)) continue;
    const labelled = folders.includes(masks) ? await imagesIn(join(root, masks)) : [];
    const found = await imagesIn(join(root, images));
    cases.push(...matched(found, labelled, { channels, split, images, findings }));
  }
  return {
    problem: 'segmentation',
    layout: 'nnunet',
    root,
    name: name ?? basename(root),
    exclusive,
    channels,
    labels,
    ignore,
    cases,
    findings,
  };
}

interface Matching {
  readonly channels: readonly string[];
  readonly split: SplitName | null;
  /** Name of the images' folder. */
  readonly images: string;
  readonly findings: Finding[];
}

/** Cases from files `CASE_0000`, `CASE_0001`, … and labels `CASE`. What does not match goes to `findings`. */
function matched(images: readonly FoundImage[], labels: readonly FoundImage[], to: Matching): SegmentationCase[] {
  const { channels, split, findings } = to;
  const byCase = new Map<string, (string | undefined)[]>();
  for (const { path, stem } of images) {
    const [, id, number] = /^(.+)_(\d{4})$/.exec(stem) ?? [];
    if (id === undefined || number === undefined || Number(number) >= channels.length) {
      const what =
        number === undefined
          ? 'has no channel number at the end of its name'
          : `has channel ${Number(number)}, but dataset.json names ${channels.length}`;
      const remedy =
        number === undefined
          ? 'Rename it to CASE_0000 with its ending.'
          : 'Correct channel_names in dataset.json, or remove the file.';
      findings.push({ severity: 'error', kind: 'channels', place: path, what, remedy });
      continue;
    }
    const files = byCase.get(id) ?? new Array<string | undefined>(channels.length).fill(undefined);
    files[Number(number)] = path;
    byCase.set(id, files);
  }
  const labelOf = new Map(labels.map(({ stem, path }) => [stem, path]));
  const cases: SegmentationCase[] = [];
  for (const [id, files] of byCase) {
    const present = files.filter((path) => path !== undefined);
    const [first = id] = present;
    // A colour picture holds its three channels in one file.
    const inOne =
      channels.length === 3 && present.length === 1 && files[0] !== undefined && /\.(png|jpe?g)$/i.test(first);
    if (present.length < channels.length && !inOne) {
      const missing = channels.filter((_, i) => files[i] === undefined);
      findings.push({
        severity: 'error',
        kind: 'channels',
        place: first,
        what: `has no file for ${missing.map((name) => `“${name}”`).join(', ')}`,
        remedy: `Add it as ${id}_${String(channels.indexOf(missing[0]!)).padStart(4, '0')}, or remove the case.`,
        case: id,
      });
      continue;
    }
    const path = labelOf.get(id);
    labelOf.delete(id);
    if (path === undefined && split !== 'test')
      findings.push({
        severity: 'error',
        kind: 'missingLabel',
        place: first,
        what: 'has no label',
        remedy: `Add labelsTr/${id} with its ending, or move the image to imagesTs.`,
        case: id,
      });
    cases.push({ id, patient: id, channels: present, split, label: path === undefined ? null : { kind: 'map', path } });
  }
  for (const [id, place] of labelOf)
    findings.push({
      severity: 'error',
      kind: 'missingImage',
      place,
      what: 'is a label without an image',
      remedy: `Add ${to.images}/${id}_0000 with its ending, or remove the label.`,
    });
  return cases;
}

import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { UnimissError } from '../../../../../protocol/errors.ts';
import { isInside } from '../../../../../protocol/insideFolder.ts';
import { stemOf } from '../names.ts';
import type { Finding, LabelClass, SegmentationCase } from '../types.ts';
import { background, type Draft, readJson } from './draft.ts';

/** `dataset.json` of the Medical Segmentation Decathlon, and of nnU-Net v1, which has a file a channel. */
const description = z.object({
  name: z.string().optional(),
  modality: z.record(z.string().regex(/^\d+$/), z.string().min(1)),
  labels: z.record(z.string().regex(/^\d+$/, 'labels are written {"1": "liver"}'), z.string().min(1)),
  training: z.array(z.object({ image: z.string().min(1), label: z.string().min(1) })),
  test: z
    .array(z.union([z.string().min(1), z.object({ image: z.string().min(1), label: z.string().min(1) })]))
    .default([]),
});

/** Whether a parsed `dataset.json` is of the Decathlon's form. */
export function isDecathlon(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'training' in value && 'modality' in value;
}

/**
 * The Decathlon's layout: `dataset.json` lists pairs of image and label below its folder. Where a listed image is not there but
 * `NAME_0000` is, its channels are in files of their own, as in nnU-Net v1.
 * @throws UnimissError('data') for a description that cannot be used
 */
export async function draftDecathlon(root: string): Promise<Draft> {
  const file = join(root, 'dataset.json');
  const { name, modality, labels: given, training, test } = await readJson(file, description);
  const channels = Object.entries(modality)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, channel]) => channel);
  const entries = Object.entries(given).map(([value, label]): LabelClass => ({ name: label, values: [Number(value)] }));
  const zero = entries.find(({ values }) => values[0] === 0) ?? background;
  const foreground = entries.filter((label) => label !== zero);
  if (foreground.length === 0)
    throw new UnimissError('data', 'has no label but the background', {
      place: `${file}: labels`,
      remedy: 'Write a name for each value, as {"0": "background", "1": "liver"}.',
    });
  const findings: Finding[] = [];
  const seen = new Map<string, string>();

  const inside = (given: string, field: string): string => {
    const path = resolve(root, given);
    if (isInside(root, path)) return path;
    throw new UnimissError('data', `names “${given}”, which is outside its folder`, {
      place: `${file}: ${field}`,
      images: [given],
      remedy: 'Give paths below the folder of dataset.json.',
    });
  };
  const one = (image: string, label: string | null, field: string, split: 'test' | null): SegmentationCase[] => {
    const path = inside(image, field);
    const id = stemOf(path);
    const before = seen.get(id);
    if (before !== undefined) {
      const what = `lists “${id}” again (first in ${before})`;
      findings.push({
        severity: 'error',
        kind: 'repeatedRow',
        place: `${file}: ${field}`,
        what,
        remedy: 'Remove one of the two.',
      });
      return [];
    }
    seen.set(id, field);
    const files = channelFiles(path, channels.length);
    const absent = files.filter((channel) => !existsSync(channel));
    for (const place of absent)
      findings.push({
        severity: 'error',
        kind: 'missingFile',
        place,
        what: `does not exist, but dataset.json lists it (${field})`,
        remedy: 'Add the file, or remove the entry.',
        case: id,
      });
    if (absent.length > 0) return [];
    const map = label === null ? null : inside(label, field);
    if (map !== null && !existsSync(map))
      findings.push({
        severity: 'error',
        kind: 'missingLabel',
        place: map,
        what: `does not exist, but dataset.json lists it (${field})`,
        remedy: 'Add the label, or move the image to `test`.',
        case: id,
      });
    const source = map !== null && existsSync(map) ? ({ kind: 'map', path: map } as const) : null;
    return [{ id, patient: id, channels: files, split, label: source }];
  };
  const cases = [
    ...training.flatMap(({ image, label }, i) => one(image, label, `training[${i}]`, null)),
    ...test.flatMap((entry, i) =>
      typeof entry === 'string'
        ? one(entry, null, `test[${i}]`, 'test')
        : one(entry.image, entry.label, `test[${i}]`, 'test'),
    ),
  ];
  return {
    problem: 'segmentation',
    layout: 'decathlon',
    root,
    name: name ?? basename(root),
    exclusive: true,
    channels,
    labels: [zero, ...foreground],
    ignore: null,
    cases,
    findings,
  };
}

function channelFiles(path: string, channels: number): string[] {
  const stem = stemOf(path);
  const ending = basename(path).slice(stem.length);
  const numbered = Array.from({ length: channels }, (_, i) =>
    join(dirname(path), `${stem}_${String(i).padStart(4, '0')}${ending}`),
  );
  return !existsSync(path) && numbered.some((file) => existsSync(file)) ? numbered : [path];
}

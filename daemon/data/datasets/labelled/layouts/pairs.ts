import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type FoundImage, imagesIn, listFolder } from '../names.ts';
import type { Finding, LabelClass, LabelSource, SegmentationCase, SplitName } from '../types.ts';
import { type Draft, readJson, splitOf } from './draft.ts';
import { type LabelClasses, labelClasses, namedValues } from './labelClasses.ts';

const imageFolder = /^(images?|imgs?|scans?|volumes?|pictures?|imagesTr)$/i;
const maskFolder = /^(labels?|masks?|segmentations?|segs?|annotations?|ground_?truths?|gt|labelsTr)$/i;
const imageEnding = /[_-](image|img|scan|volume|ct|mri?)$/i;
const maskEnding = /[_-](segmentation|segm?|masks?|labels?|gt|ground_?truth|annotations?)$/i;
const contrast = 'Give both the same name.';

/** A folder of images and a folder of what belongs to them. */
interface Pair {
  readonly images: string;
  readonly masks: string;
  readonly split: SplitName | null;
}

/**
 * Pairs of folders, whichever is there: `images/` and `masks/` (or `labels/`, …), each with `train`, `val`, `test` below or above;
 * masks as files with the image's name (endings such as `_mask` are allowed), as folders by structure (`masks/heart/NAME.png`) or by image
 * (`masks/NAME/heart.png`); images and masks beside each other in one folder (`NAME_image`, `NAME_label`); or a folder a case with its image and a
 * folder `segmentations`. Names of label values may stand in `labels.json`.
 * @returns undefined where nothing of this is there
 */
export async function draftPairs(root: string): Promise<Draft | undefined> {
  const findings: Finding[] = [];
  const pairs = await folderPairs(root);
  const found =
    pairs.length > 0
      ? await fromPairs(pairs, findings)
      : ((await sideBySide(root, findings)) ?? (await caseFolders(root, findings)));
  if (!found) return undefined;
  const { cases, structures } = found;
  const named = structures ? undefined : await namesOf(root);
  return {
    problem: 'segmentation',
    layout: 'pairs',
    root,
    name: basename(root),
    exclusive: structures ? false : (named?.exclusive ?? true),
    channels: null,
    labels: structures ? structures.map((name, i): LabelClass => ({ name, values: [i + 1] })) : (named?.labels ?? null),
    ignore: named?.ignore ?? null,
    cases,
    findings,
  };
}

async function namesOf(root: string): Promise<LabelClasses | undefined> {
  const file = join(root, 'labels.json');
  return existsSync(file) ? labelClasses(await readJson(file, namedValues), file) : undefined;
}

async function folderPairs(root: string): Promise<Pair[]> {
  const pairIn = async (folder: string, split: SplitName | null): Promise<Pair[]> => {
    const { folders } = await listFolder(folder);
    const images = folders.find((name) => imageFolder.test(name));
    const masks = folders.find((name) => maskFolder.test(name));
    if (images === undefined || masks === undefined) return [];
    const below = (await listFolder(join(folder, images))).folders.filter((name) => splitOf(name) !== undefined);
    if (below.length === 0) return [{ images: join(folder, images), masks: join(folder, masks), split }];
    return below.map((name) => ({
      images: join(folder, images, name),
      masks: join(folder, masks, name),
      split: splitOf(name) ?? null,
    }));
  };
  const here = await pairIn(root, null);
  if (here.length > 0) return here;
  const { folders } = await listFolder(root);
  const splits = folders.flatMap((name) => {
    const split = splitOf(name);
    return split ? [{ name, split }] : [];
  });
  return (await Promise.all(splits.map(({ name, split }) => pairIn(join(root, name), split)))).flat();
}

interface Found {
  readonly cases: SegmentationCase[];
  /** Names of structures that have masks of their own; undefined: label maps. */
  readonly structures?: readonly string[];
}

async function fromPairs(pairs: readonly Pair[], findings: Finding[]): Promise<Found> {
  const folders = await Promise.all(
    pairs.map(async (pair) => {
      const images = await imagesIn(pair.images);
      const masks = existsSync(pair.masks) ? await imagesIn(pair.masks) : [];
      const below = existsSync(pair.masks) ? (await listFolder(pair.masks)).folders : [];
      // A folder of masks is none of a series: what lies in it are pictures or volumes.
      const groups = masks.length > 0 ? [] : below;
      return { ...pair, images, masks, groups, folder: pair.masks };
    }),
  );
  const several = pairs.length > 1;
  const idOf = (split: SplitName | null, stem: string) => (several && split ? `${split}/${stem}` : stem);
  if (folders.every(({ groups }) => groups.length === 0)) {
    const cases = folders.flatMap(({ images, masks, split }) => {
      const sources = new Map(
        matchMasks(images, masks, findings).map(([image, path]) => [image, { kind: 'map', path } as const]),
      );
      return casesOf(images, sources, { split, idOf, findings });
    });
    return { cases };
  }
  const perGroup = await Promise.all(
    folders.map(async ({ groups, folder, images, split }) => {
      const found = await Promise.all(
        groups.map(async (name) => ({ name, masks: await imagesIn(join(folder, name)) })),
      );
      const byImage = found.some(({ name }) => images.some(({ stem }) => stem === name));
      return { found, byImage, images, split };
    }),
  );
  const names = new Set<string>();
  for (const { found, byImage } of perGroup)
    for (const { name, masks } of found) {
      if (!byImage) names.add(name);
      else for (const { stem } of masks) names.add(stem);
    }
  const structures = [...names];
  const cases = perGroup.flatMap(({ found, byImage, images, split }) => {
    const files = new Map<FoundImage, (string | null)[]>();
    const put = (image: FoundImage, structure: string, path: string) => {
      const list = files.get(image) ?? structures.map(() => null);
      list[structures.indexOf(structure)] = path;
      files.set(image, list);
    };
    for (const { name, masks } of found) {
      if (!byImage) for (const [image, path] of matchMasks(images, masks, findings)) put(image, name, path);
      else {
        const image = images.find(({ stem }) => stem === name);
        if (image) for (const mask of masks) put(image, mask.stem, mask.path);
        else for (const { path } of masks) findings.push(orphan(path));
      }
    }
    const sources = new Map(
      [...files].map(([image, paths]): [FoundImage, LabelSource] => [image, { kind: 'masks', paths }]),
    );
    return casesOf(images, sources, { split, idOf, findings });
  });
  return { cases, structures };
}

/** Images and masks in one folder: a mask has the image's name and an ending that says what it is. */
async function sideBySide(root: string, findings: Finding[]): Promise<Found | undefined> {
  const all = await imagesIn(root);
  const masks = all.filter(({ stem }) => maskEnding.test(stem));
  const images = all.filter(({ stem }) => !maskEnding.test(stem));
  const keys = new Set(images.map(({ stem }) => imageKey(stem)));
  if (!masks.some(({ stem }) => keys.has(maskKey(stem)))) return undefined;
  const sources = new Map(
    matchMasks(images, masks, findings).map(([image, path]) => [image, { kind: 'map', path } as const]),
  );
  return { cases: casesOf(images, sources, { split: null, idOf: (_, stem) => stem, findings }) };
}

/** A folder a case: one image, and a folder with a mask for each structure, as TotalSegmentator's data set. */
async function caseFolders(root: string, findings: Finding[]): Promise<Found | undefined> {
  const { folders } = await listFolder(root);
  const found: { id: string; image: FoundImage; masks: readonly FoundImage[] }[] = [];
  for (const id of folders) {
    const masks = (await listFolder(join(root, id))).folders.find((name) => maskFolder.test(name));
    if (masks === undefined) continue;
    const images = (await imagesIn(join(root, id))).filter(({ stem }) => stem !== masks);
    const [image] = images;
    if (image === undefined || images.length > 1) {
      findings.push({
        severity: 'error',
        kind: image === undefined ? 'missingImage' : 'channels',
        place: join(root, id),
        what: image === undefined ? 'has masks but no image' : `has ${images.length} images beside its masks`,
        remedy: 'Put exactly one image into the folder of a case, or use the layout of nnU-Net for several channels.',
      });
      continue;
    }
    found.push({ id, image, masks: await imagesIn(join(root, id, masks)) });
  }
  if (found.length === 0) return undefined;
  const structures = [...new Set(found.flatMap(({ masks }) => masks.map(({ stem }) => stem)))].sort();
  const cases = found.map(({ id, image, masks }): SegmentationCase => {
    const pathOf = new Map(masks.map(({ stem, path }) => [stem, path]));
    const label: LabelSource = { kind: 'masks', paths: structures.map((name) => pathOf.get(name) ?? null) };
    return { id, patient: id, channels: [image.path], split: null, label };
  });
  return { cases, structures };
}

function imageKey(stem: string): string {
  return stem.replace(imageEnding, '');
}

function maskKey(stem: string): string {
  return stem.replace(maskEnding, '');
}

/** Images with their masks: of the same name, or of the same without endings that say what a file is. */
function matchMasks(
  images: readonly FoundImage[],
  masks: readonly FoundImage[],
  findings: Finding[],
): [FoundImage, string][] {
  const byStem = new Map(images.map((image) => [image.stem, image]));
  const byKey = new Map(images.map((image) => [imageKey(image.stem), image]));
  const taken = new Map<FoundImage, string>();
  for (const { stem, path } of masks) {
    const image = byStem.get(stem) ?? byKey.get(maskKey(stem)) ?? byKey.get(imageKey(maskKey(stem)));
    const other = image && taken.get(image);
    if (!image) findings.push(orphan(path));
    else if (other !== undefined)
      findings.push({
        severity: 'error',
        kind: 'channels',
        place: path,
        what: `is a second label of ${image.path} (the first: ${basename(other)})`,
        remedy: 'Remove one of the two. If an image has several masks, put them into one folder per structure.',
      });
    else taken.set(image, path);
  }
  return [...taken];
}

function orphan(place: string): Finding {
  return {
    severity: 'error',
    kind: 'missingImage',
    place,
    what: 'is a label without an image',
    remedy: `Add the image, or remove the label. ${contrast}`,
  };
}

interface CaseContext {
  readonly split: SplitName | null;
  readonly idOf: (split: SplitName | null, stem: string) => string;
  readonly findings: Finding[];
}

function casesOf(
  images: readonly FoundImage[],
  sources: ReadonlyMap<FoundImage, LabelSource>,
  { split, idOf, findings }: CaseContext,
): SegmentationCase[] {
  return images.map((image) => {
    const id = idOf(split, imageKey(image.stem));
    const label = sources.get(image) ?? null;
    if (!label && split !== 'test')
      findings.push({
        severity: 'error',
        kind: 'missingLabel',
        place: image.path,
        what: 'has no label',
        remedy: `Add its mask, or remove the image. ${contrast}`,
        case: id,
      });
    return { id, patient: id, channels: [image.path], split, label };
  });
}

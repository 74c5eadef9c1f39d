import { basename, join } from 'node:path';
import { idOf, naturalOrder } from '../../files.ts';
import { imagesIn, listFolder } from '../names.ts';
import type { ClassificationCase, SplitName } from '../types.ts';
import { type Draft, splitOf } from './draft.ts';

/**
 * A folder for each class, with its images directly in it; above them there may be `train`, `val` and `test`.
 * @returns undefined where there are not at least two classes with images
 */
export async function draftClassFolders(root: string): Promise<Draft | undefined> {
  const { folders } = await listFolder(root);
  const splits = folders.filter((name) => splitOf(name) !== undefined);
  const places =
    splits.length > 0
      ? splits.map((name) => ({ folder: join(root, name), split: splitOf(name) ?? null }))
      : [{ folder: root, split: null }];
  const found: { name: string; split: SplitName | null; paths: string[] }[] = [];
  for (const { folder, split } of places)
    for (const name of (await listFolder(folder)).folders) {
      const paths = (await imagesIn(join(folder, name))).map(({ path }) => path);
      if (paths.length > 0) found.push({ name, split, paths });
    }
  const names = [...new Set(found.map(({ name }) => name))].sort(naturalOrder);
  if (names.length < 2) return undefined;
  const cases = found.flatMap(({ name, split, paths }) =>
    paths.map((path): ClassificationCase => {
      const id = idOf(root, path);
      return { id, patient: id, channels: [path], split, classes: [names.indexOf(name)] };
    }),
  );
  return {
    problem: 'classification',
    layout: 'classFolders',
    root,
    name: basename(root),
    exclusive: true,
    channels: null,
    labels: names.map((name, i) => ({ name, values: [i] })),
    cases,
    findings: [],
  };
}

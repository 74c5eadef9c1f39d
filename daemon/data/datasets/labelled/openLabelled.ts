import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UnimissError } from '../../../../protocol/errors.ts';
import type { Modality } from '../../../../protocol/modality.ts';
import { readFailure } from '../../formats/bytes.ts';
import { inspectImage, inspectLabels } from '../../formats/image.ts';
import { readListing } from '../delimited.ts';
import { naturalOrder } from '../files.ts';
import { draftClassFolders } from './layouts/classFolders.ts';
import { draftDecathlon, isDecathlon } from './layouts/decathlon.ts';
import { channelNames, type Draft } from './layouts/draft.ts';
import { brokenFile } from './layouts/findings.ts';
import { draftNnunet, isNnunet } from './layouts/nnunet.ts';
import { draftPairs } from './layouts/pairs.ts';
import { draftTable, listsImages } from './layouts/table.ts';
import { findLabelValues } from './measure/labelValues.ts';
import { listFolder } from './names.ts';
import { patientFiles, withPatients } from './patients.ts';
import { readTable } from './readTable.ts';
import { checkSides } from './split/checkSplit.ts';
import type { Finding, LabelledCase, LabelledDataset, LabelSource, Layout, OpenOptions } from './types.ts';

const parallelChecks = 8;
const layoutHelp = 'docs/datasets.md shows the layouts.';

/**
 * Opens labelled images: finds out how they lie in their folder, pairs images and labels, and reads each image's header. What is wrong
 * is in `problems`, all of it at once; a case with an error is not among `cases`. Where nothing names the values of label maps, the maps
 * are read to find them.
 * @param path a folder, a CSV or TSV table, or a `dataset.json`
 * @throws UnimissError('data') where the layout is not recognised, a description is unusable, or no case is left; 'interrupted'
 */
export async function openLabelled(path: string, options: OpenOptions = {}): Promise<LabelledDataset> {
  const draft = await draftOf(resolve(path), options.layout);
  const findings: Finding[] = [...draft.findings];
  if (draft.problem === 'segmentation') {
    const { cases, modality, files } = await inspected(draft.cases, findings, options, draft);
    const labels = draft.labels ?? (await findLabelValues(cases, findings, options));
    const left = withoutErrors(await withPatients(draft.root, cases, findings), findings);
    const { layout, root, name, exclusive, ignore } = draft;
    const channels = channelNames(modality, draft.channels, files);
    const parts = { path: resolve(path), layout, root, name, exclusive, ignore, labels, channels, modality };
    return { problem: 'segmentation', ...parts, cases: left, problems: [...findings, ...checkSides(left)] };
  }
  const { cases, modality, files } = await inspected(draft.cases, findings, options, draft);
  const told = draft.layout === 'table' ? cases : await withPatients(draft.root, cases, findings);
  const left = withoutErrors(told, findings);
  const { layout, root, name, exclusive, labels } = draft;
  const channels = channelNames(modality, draft.channels, files);
  const parts = { path: resolve(path), layout, root, name, exclusive, labels, channels, modality, ignore: null };
  return { problem: 'classification', ...parts, cases: left, problems: [...findings, ...checkSides(left)] };
}

/**
 * The files of a data set as its folder, or the list that describes it, names them; none is opened.
 * @param path as `openLabelled`
 * @returns absolute paths, with that of the list
 * @throws UnimissError('data') as `openLabelled`
 */
export async function filesOfLabelled(path: string, layout?: Layout): Promise<string[]> {
  const { cases } = await draftOf(resolve(path), layout);
  return [resolve(path), ...cases.flatMap(filesOf).map((file) => file.path)];
}

async function draftOf(path: string, wanted: Layout | undefined): Promise<Draft> {
  const info = await stat(path).catch((error) => {
    const { what } = readFailure(path, error);
    throw new UnimissError('data', what, {
      place: path,
      remedy: 'Give the folder of a data set, or its table.',
      cause: error,
    });
  });
  const root = info.isDirectory() ? path : dirname(path);
  if (!info.isDirectory() && basename(path) !== 'dataset.json') {
    if (wanted !== undefined && wanted !== 'table') throw notOf(path, wanted);
    return draftTable(path);
  }
  switch (wanted) {
    case 'nnunet':
      return draftNnunet(root);
    case 'decathlon':
      return draftDecathlon(root);
    case 'pairs':
      return (await draftPairs(root)) ?? fail(notOf(root, wanted));
    case 'classFolders':
      return (await draftClassFolders(root)) ?? fail(notOf(root, wanted));
    case 'table': {
      const table = await tableIn(root);
      return table === undefined ? fail(notOf(root, wanted)) : draftTable(table);
    }
    default:
      return recognised(root);
  }
}

/** From the most to the least telling sign. */
async function recognised(root: string): Promise<Draft> {
  const description = await descriptionIn(root);
  if (isNnunet(description)) return draftNnunet(root);
  if (isDecathlon(description)) return draftDecathlon(root);
  const pairs = await draftPairs(root);
  if (pairs) return pairs;
  const table = await tableIn(root);
  if (table !== undefined) return draftTable(table);
  const folders = await draftClassFolders(root);
  if (folders) return folders;
  throw new UnimissError('data', 'is not a labelled data set of a known layout', { place: root, remedy: layoutHelp });
}

/** The parsed `dataset.json`; undefined where there is none. @throws UnimissError('data') if it is no JSON */
async function descriptionIn(root: string): Promise<unknown> {
  const file = join(root, 'dataset.json');
  const text = await readListing(file).catch((error: UnimissError) => {
    if ((error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnimissError('data', 'is not valid JSON', { place: file, remedy: 'Correct it.', cause });
  }
}

/** The one table in a folder that lists images. */
async function tableIn(root: string): Promise<string | undefined> {
  const { files } = await listFolder(root);
  const tables: string[] = [];
  for (const name of files) {
    if (!/\.(csv|tsv)$/i.test(name) || patientFiles.some((own) => own === name)) continue;
    const file = join(root, name);
    if (listsImages(await readTable(file))) tables.push(file);
  }
  if (tables.length > 1)
    throw new UnimissError(
      'data',
      `holds several tables of images: ${tables.map((file) => basename(file)).join(', ')}`,
      {
        place: root,
        remedy: 'Name the table instead of the folder.',
      },
    );
  return tables[0];
}

function notOf(place: string, layout: Layout): UnimissError {
  return new UnimissError('data', `is not a data set of the layout "${layout}"`, { place, remedy: layoutHelp });
}

function fail(error: UnimissError): never {
  throw error;
}

/** Files of a case whose headers are read: its channels, and its labels. */
function filesOf(one: LabelledCase & { readonly label?: LabelSource | null }) {
  const { channels, label } = one;
  const masks = !label ? [] : label.kind === 'map' ? [label.path] : label.paths.filter((path) => path !== null);
  const found = (holdsLabels: boolean) => (path: string) => ({ path, id: one.id, holdsLabels });
  return [...channels.map(found(false)), ...masks.map(found(true))];
}

/** The cases whose headers can be read and are of the kind that most have. */
async function inspected<C extends LabelledCase>(
  cases: readonly C[],
  findings: Finding[],
  { signal, onProgress, volume }: OpenOptions,
  { root }: Draft,
): Promise<{ cases: readonly C[]; modality: Modality; files: number }> {
  const first = new Map<string, LabelledCase>();
  for (const one of cases) {
    const before = first.get(one.id);
    if (!before) first.set(one.id, one);
    else
      findings.push({
        severity: 'error',
        kind: 'repeatedRow',
        place: one.channels[0] ?? root,
        what: `is called “${one.id}”, as ${before.channels[0]} is`,
        remedy: 'Rename one of the two.',
        case: one.id,
      });
  }
  const all = cases.flatMap(filesOf);
  const kinds = new Map<string, Modality>();
  const failures: Finding[] = [];
  let [next, done] = [0, 0];
  const work = async () => {
    for (let file = all[next++]; file !== undefined; file = all[next++]) {
      if (signal?.aborted) throw new UnimissError('interrupted', 'opening the data set was cancelled', { place: root });
      const { path, id, holdsLabels } = file;
      try {
        const { kind } = await (holdsLabels ? inspectLabels(path) : inspectImage(path, { volume }));
        kinds.set(path, kind);
      } catch (error) {
        if (!(error instanceof UnimissError)) throw error;
        failures.push(brokenFile(path, error, id));
      }
      onProgress?.(++done, all.length);
    }
  };
  await Promise.all(Array.from({ length: parallelChecks }, work));
  findings.push(...failures.sort((a, b) => (a.place < b.place ? -1 : 1)));
  const count = (kind: Modality) => [...kinds.values()].filter((one) => one === kind).length;
  const modality: Modality = count('2D') > count('3D') ? '2D' : '3D';
  for (const { path, id } of all) {
    const kind = kinds.get(path);
    if (kind === undefined || kind === modality) continue;
    findings.push({
      severity: 'error',
      kind: 'modality',
      place: path,
      what: kind === '2D' ? 'is a picture among volumes' : 'is a volume among pictures',
      remedy: 'Put pictures and volumes into separate data sets.',
      case: id,
    });
  }
  const files = Math.max(0, ...cases.map(({ channels }) => channels.length));
  return { cases: withoutErrors(cases, findings, root), modality, files };
}

/** @throws UnimissError('data') where none is left and there is a `root` to name */
function withoutErrors<C extends LabelledCase>(
  cases: readonly C[],
  findings: readonly Finding[],
  root?: string,
): readonly C[] {
  const bad = new Set(
    findings.flatMap(({ severity, case: id }) => (severity === 'error' && id !== undefined ? [id] : [])),
  );
  const left = cases.filter(({ id }) => !bad.has(id)).sort((a, b) => naturalOrder(a.id, b.id));
  if (left.length > 0 || root === undefined) return left;
  const lines = findings.slice(0, 20).map(({ place, what }) => `\n  ${place}: ${what}`);
  throw new UnimissError('data', `has no usable case:${lines.join('') || ' no images were found'}`, {
    place: root,
    remedy: layoutHelp,
  });
}

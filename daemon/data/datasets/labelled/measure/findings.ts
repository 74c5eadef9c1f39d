import { misplacedRemedy } from '../../../prepared/misplacement.ts';
import { brokenFile } from '../layouts/findings.ts';
import type { Finding, FindingKind, LabelledDataset } from '../types.ts';
import type { CaseMeasure } from './caseMeasure.ts';
import { ctChannels, notHu } from './ct.ts';
import { duplicates } from './duplicates.ts';
import { swappedSides, unusualAxes } from './orientation.ts';

/** What measured cases show to be wrong, case by case and then what only shows between them. */
export function findingsOf(dataset: LabelledDataset, measures: readonly CaseMeasure[]): Finding[] {
  const ct = ctChannels(dataset, measures);
  return [
    ...measures.flatMap((measure) => findingsOfCase(dataset, measure, ct)),
    ...unusualAxes(measures),
    ...unevenColour(dataset, measures),
    ...duplicates(dataset, measures),
    ...absentLabels(dataset, measures),
  ];
}

function findingsOfCase(dataset: LabelledDataset, measure: CaseMeasure, ct: readonly boolean[]): Finding[] {
  const { id, files, channels, label, misplaced, broken } = measure;
  const findings: Finding[] = broken.map(({ path, what, remedy }) =>
    brokenFile(path, { what, details: remedy === undefined ? {} : { remedy } }, id),
  );
  const say = (severity: Finding['severity'], kind: FindingKind, place: string, what: string, remedy: string) =>
    findings.push({ severity, kind, place, what, remedy, ...(severity === 'error' && { case: id }) });

  for (const { path, what, fatal } of misplaced)
    say(fatal ? 'error' : 'warning', 'geometry', path, what, misplacedRemedy);
  for (const { path, spacing, affine, notices } of files) {
    for (const notice of notices)
      say('warning', 'orientation', path, notice, 'Check that it lies as it should, and correct its header.');
    if (affine && !spacing)
      say(
        'warning',
        'spacing',
        path,
        'has no usable spacing in its header',
        'Correct its header, for example with nibabel.',
      );
  }
  for (const [i, isCt] of ct.entries()) {
    const channel = channels[i];
    const wrong = isCt && channel ? notHu(channel.min, channel.max) : undefined;
    if (wrong) say('warning', 'notHu', files[i]?.path ?? id, wrong.what, wrong.remedy);
  }
  if (dataset.channels.length === 1 && dataset.modality === '2D')
    for (const { path, grey } of files)
      if (!grey)
        say(
          'error',
          'colour',
          path,
          'is a colour image where a grey one is expected',
          'Save it as grey, or describe three channels.',
        );
  if (label && dataset.problem === 'segmentation') findings.push(...findingsOfLabel(dataset, measure, label));
  return findings;
}

function findingsOfLabel(
  { labels, exclusive, ignore, layout }: Extract<LabelledDataset, { problem: 'segmentation' }>,
  { id }: CaseMeasure,
  label: NonNullable<CaseMeasure['label']>,
): Finding[] {
  const findings: Finding[] = [];
  const { path, unknown, voxels, overlapping } = label;
  if (unknown.length > 0) {
    const listed = unknown.slice(0, 10).map(([value, count]) => `${value} (${count} voxels)`);
    const more = unknown.length > 10 ? ` and ${unknown.length - 10} more` : '';
    const known = labels.flatMap(({ values }) => values).concat(ignore ?? []);
    findings.push({
      severity: 'error',
      kind: 'unknownValue',
      place: path,
      what: `has values that no label has: ${listed.join(', ')}${more}`,
      remedy: `Known are ${listOf(known)}. Correct the labels, or name the values in ${layout === 'pairs' ? 'labels.json' : 'dataset.json'}.`,
      case: id,
    });
  }
  if (exclusive && overlapping > 0)
    findings.push({
      severity: 'error',
      kind: 'overlap',
      place: path,
      what: `has ${overlapping} voxels in several masks, but classes exclude each other`,
      remedy: 'Correct the masks, or set `labels` to "overlapping".',
      case: id,
    });
  if (voxels.slice(exclusive ? 1 : 0).every((count) => count === 0))
    findings.push({
      severity: 'warning',
      kind: 'emptyForeground',
      place: path,
      what: 'has no voxel of any label but the background',
      remedy: 'Check that this is right: the image may show none of the structures, or the label may be missing.',
    });
  findings.push(...swappedSides(labels, label));
  return findings;
}

/** `0, 1, 2, 3` as `0–3`. */
function listOf(values: readonly number[]): string {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first !== undefined && last !== undefined && sorted.length > 3 && last - first === sorted.length - 1)
    return `${first}–${last}`;
  return sorted.join(', ');
}

/** Share of grey pictures above which a few coloured ones are worth a word. */
const mostlyGrey = 0.8;

function unevenColour({ modality }: LabelledDataset, measures: readonly CaseMeasure[]): Finding[] {
  const files = measures.flatMap((measure) => measure.files);
  const colored = files.filter(({ grey }) => !grey);
  if (modality === '3D' || colored.length === 0 || files.length - colored.length < mostlyGrey * files.length) return [];
  return colored.map(({ path }) => ({
    severity: 'warning',
    kind: 'colour',
    place: path,
    what: `is a colour image, but ${files.length - colored.length} of ${files.length} are grey`,
    remedy: 'Save it as grey, unless its colours mean something.',
  }));
}

/** Labels that no case has. */
function absentLabels(dataset: LabelledDataset, measures: readonly CaseMeasure[]): Finding[] {
  const { labels, path, exclusive, problem } = dataset;
  const measured = measures.flatMap(({ label }) => label ?? []);
  if (problem === 'segmentation' && measured.length === 0) return [];
  const present = (number: number) =>
    problem === 'segmentation'
      ? measured.some(({ voxels }) => (voxels[number] ?? 0) > 0)
      : dataset.cases.some(({ classes }) => classes?.includes(number));
  const absent = labels.filter(
    (_, number) => !present(number) && !(problem === 'segmentation' && exclusive && number === 0),
  );
  if (absent.length === 0) return [];
  const names = absent.slice(0, 10).map(({ name }) => `“${name}”`);
  const more =
    absent.length > names.length ? ` and ${absent.length - names.length} more of its ${labels.length} labels` : '';
  return [
    {
      severity: 'warning',
      kind: 'unusedClass',
      place: path,
      what: `has no case with ${names.join(', ')}${more}`,
      remedy: 'The network cannot learn what it does not see. Add cases, or remove the labels.',
    },
  ];
}

import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { UnimissError } from '../../../../../protocol/errors.ts';
import { isInside } from '../../../../../protocol/insideFolder.ts';
import { naturalOrder } from '../../files.ts';
import { readTable, type Table } from '../readTable.ts';
import type { ClassificationCase, Finding } from '../types.ts';
import { type Draft, splitOf } from './draft.ts';

/** Columns that say something else than a class. */
const ownColumns = ['path', 'patient', 'split'];
/** Names of a column that holds the class. */
const classColumns = ['label', 'class'];
const yes = /^(1|1\.0|true|yes)$/i;
const no = /^(0|0\.0|false|no|)$/i;

/** Whether a table lists images: it has a column `path`. */
export function listsImages({ columns }: Table): boolean {
  return columns.includes('path');
}

/**
 * A table of images and their classes: `path` (relative to the table's folder), then either a column `label` (or `class`, or the only
 * other column) with the name of the class, or several columns of 0 and 1, one a class, of which any number may hold at once. `patient` and `split`
 * (train, validation, test) are optional. An empty `label`, or only empty cells, mean that the class is not known.
 * @throws UnimissError('data') for a table without a path or a class
 */
export async function draftTable(file: string): Promise<Draft> {
  const table = await readTable(file);
  if (!listsImages(table))
    throw new UnimissError('data', `has no column “path” (its columns: ${table.columns.join(', ')})`, {
      place: file,
      remedy: 'Write the first line as: path,label',
    });
  const findings: Finding[] = [];
  const root = dirname(resolve(file));
  const { columns, names } = labelColumns(table, findings);
  const exclusive = columns.length === 1;
  const lines = new Map<string, number>();
  const cases: ClassificationCase[] = [];
  for (const { line, cells } of table.rows) {
    const place = `${file}:${line}`;
    const error = (kind: Finding['kind'], what: string, remedy: string) =>
      findings.push({ severity: 'error', kind, place, what, remedy });
    const given = cells.path ?? '';
    const path = resolve(root, given);
    const before = lines.get(path);
    if (given === '') error('table', 'has no path', 'Write one, or remove the line.');
    else if (given.includes('\0') || !isInside(root, path))
      error(
        'table',
        `names “${given}”, which is outside the table's folder`,
        'Put the table into a folder above its images.',
      );
    else if (before !== undefined)
      error('repeatedRow', `lists “${given}” again (first in line ${before})`, 'Remove one of the two lines.');
    else if (!existsSync(path))
      error('missingFile', `names “${given}”, which does not exist`, 'Add the file, or remove the line.');
    else {
      const split = splitOf(cells.split ?? '') ?? null;
      if (split === null && (cells.split ?? '') !== '') {
        error('table', `has the split “${cells.split}”`, 'Write train, validation or test, or nothing.');
        continue;
      }
      const classes = exclusive ? classOf(cells[columns[0]!] ?? '', names) : classesOf(cells, columns);
      const id = given.replaceAll('\\', '/').replace(/^\.\//, '');
      cases.push({ id, patient: cells.patient || id, channels: [path], split, classes });
    }
    if (!lines.has(path)) lines.set(path, line);
  }
  return {
    problem: 'classification',
    layout: 'table',
    root,
    name: basename(root),
    exclusive,
    channels: null,
    labels: names.map((name, i) => ({ name, values: [i] })),
    cases,
    findings,
  };
}

function classOf(name: string, names: readonly string[]): number[] | null {
  return name === '' ? null : [names.indexOf(name)];
}

function classesOf(cells: Readonly<Record<string, string>>, columns: readonly string[]): number[] | null {
  if (columns.every((name) => cells[name] === '')) return null;
  return columns.flatMap((name, i) => (yes.test(cells[name] ?? '') ? [i] : []));
}

/** The columns that hold classes, and the classes' names: of values in one column, or of the columns themselves. */
function labelColumns(table: Table, findings: Finding[]): { columns: readonly string[]; names: readonly string[] } {
  const others = table.columns.filter((name) => !ownColumns.includes(name));
  const named = others.find((name) => classColumns.includes(name)) ?? (others.length === 1 ? others[0] : undefined);
  if (named !== undefined) {
    const values = new Set(table.rows.map(({ cells }) => cells[named] ?? ''));
    values.delete('');
    const names = [...values].sort(naturalOrder);
    if (names.length >= 2) return { columns: [named], names };
    throw new UnimissError(
      'data',
      `has ${names.length === 1 ? `only the class “${names[0]}”` : 'no class'} in its column “${named}”`,
      {
        place: table.file,
        remedy: 'A classification needs at least two classes.',
      },
    );
  }
  const columns = others.filter((name) => {
    const odd = table.rows.find(({ cells }) => !yes.test(cells[name] ?? '') && !no.test(cells[name] ?? ''));
    if (odd === undefined) return true;
    findings.push({
      severity: 'warning',
      kind: 'table',
      place: `${table.file}:${odd.line}`,
      what: `has a value other than 0 and 1 in the column “${name}”, so UniMiSS does not use this column as a class`,
      remedy: 'If it is not a class, ignore this. Otherwise use only 0 and 1 in it.',
    });
    return false;
  });
  if (columns.length === 0)
    throw new UnimissError('data', 'has no column with classes', {
      place: table.file,
      remedy: 'Add a column “label” with the name of the class, or columns of 0 and 1.',
    });
  return { columns, names: columns };
}

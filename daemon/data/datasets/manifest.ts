import { realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { UnimissError } from '../../../protocol/errors.ts';
import { isInside } from '../../../protocol/insideFolder.ts';
import { delimitedLines, readListing } from './delimited.ts';

/** One image that a manifest lists. */
export interface ManifestEntry {
  /** Absolute path. */
  readonly path: string;
  readonly label?: string;
  /** Who it is of. */
  readonly patient?: string;
  /** Absolute path of its label map, where it was asked for. */
  readonly segmentation?: string;
}

const word = z.union([z.string(), z.number()]).optional();
const jsonEntry = z.object({
  path: z.string().min(1),
  label: word,
  patient: word,
  segmentation: z.string().optional(),
});

/** Fields of an entry beside its path. */
const fields = ['label', 'patient', 'segmentation'] as const;

/** A line; its paths are as given. */
interface Row extends ManifestEntry {
  readonly line: number;
}

/**
 * Reads a manifest: a text file that lists images, with paths relative to its own folder. Either JSON lines,
 * `{"path": "ct/1.nii.gz", "label": "healthy"}` each, or CSV with the columns `path` and, if there are labels, `label`
 * (in the order of its first line; without such a line: path, label). The columns or fields `patient` and `segmentation` (the path
 * of a label map) are optional; others are ignored.
 * @param options `segmentations`: label maps are wanted; otherwise the column is ignored
 * @throws UnimissError('data') that names the line: malformed, listed twice, or a path out of the manifest's folder (by `..`,
 * absolute, or through a symbolic link)
 */
export async function readManifest(
  file: string,
  { segmentations = false }: { readonly segmentations?: boolean } = {},
): Promise<{ root: string; entries: ManifestEntry[] }> {
  const text = await readListing(file);
  const rows = text.trimStart().startsWith('{') ? jsonRows(file, text) : csvRows(file, text);
  const root = dirname(resolve(file));
  const realRoot = await realpath(root);
  const lines = new Map<string, number>();
  const entries: ManifestEntry[] = [];
  for (const row of rows) {
    const { line, segmentation: labels, ...given } = row;
    const place = `${file}:${line}`;
    const inside = async (relative: string) => {
      const path = resolve(root, relative);
      if (!relative.includes('\0') && isInside(root, path) && (await staysInside(realRoot, path))) return path;
      throw new UnimissError('data', `the path “${relative}” leads out of the manifest's folder`, {
        place,
        images: [relative],
        remedy: 'Put the manifest into a folder above its images and give paths relative to it.',
      });
    };
    const path = await inside(row.path);
    const before = lines.get(path);
    if (before !== undefined) {
      throw new UnimissError('data', `“${row.path}” is already listed in line ${before}`, {
        place,
        images: [row.path],
        remedy: 'Remove one of the two.',
      });
    }
    lines.set(path, row.line);
    const segmentation = segmentations && labels !== undefined ? { segmentation: await inside(labels) } : {};
    entries.push({ ...given, path, ...segmentation });
  }
  return { root, entries };
}

/** Returns false where links lead out of the folder. A missing file returns true: it is reported as broken later. */
async function staysInside(realRoot: string, path: string): Promise<boolean> {
  try {
    return isInside(realRoot, await realpath(path));
  } catch {
    return true;
  }
}

/** The fields that are there and not empty, as words. */
function given(read: (field: (typeof fields)[number]) => string | number | undefined): Omit<ManifestEntry, 'path'> {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = read(field);
      return value === undefined || value === '' ? [] : [[field, String(value)]];
    }),
  );
}

function jsonRows(file: string, text: string): Row[] {
  const rows: Row[] = [];
  text.split('\n').forEach((content, index) => {
    if (content.trim() === '') return;
    const line = index + 1;
    let value: unknown;
    try {
      value = JSON.parse(content);
    } catch (error) {
      // The parser's message quotes the line, which may name a patient.
      throw new UnimissError('data', 'is not JSON', { place: `${file}:${line}`, cause: error });
    }
    const entry = jsonEntry.safeParse(value);
    if (!entry.success) {
      throw new UnimissError('data', 'is not of the form {"path": "…", "label": "…"}', { place: `${file}:${line}` });
    }
    rows.push({ line, path: entry.data.path, ...given((field) => entry.data[field]) });
  });
  return rows;
}

function csvRows(file: string, text: string): Row[] {
  const lines = delimitedLines(file, text);
  const names = lines[0]?.cells.map((name) => name.toLowerCase()) ?? [];
  const hasHeader = names.includes('path');
  const pathAt = hasHeader ? names.indexOf('path') : 0;
  const places = hasHeader ? names : ['path', 'label'];
  return lines.slice(hasHeader ? 1 : 0).map(({ line, cells }) => {
    const path = cells[pathAt];
    if (!path) throw new UnimissError('data', 'has no path', { place: `${file}:${line}` });
    return { line, path, ...given((field) => cells[places.indexOf(field)]) };
  });
}

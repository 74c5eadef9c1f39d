import { z } from 'zod';
import { request } from '../daemon/rpc.ts';

/**
 * Files of the daemon's machine, for clients on another one. They read; nothing here writes. A client may read the folder of runs, the
 * images that their configurations name (of a list, those in it), and what its user opened by name.
 */

const path = z.string().min(1).max(4096);
const kind = z.enum(['file', 'folder']);

/** Largest piece of a file in an answer, bytes. */
export const largestFilePiece = 1 << 20;
/** Why a path that nothing has is refused; clients tell it from other reasons. */
export const notThere = 'is not there';

/** One name, which leads nowhere else: clients join it to paths of their own. */
const entryName = z.string().regex(/^(?!\.{1,2}$)[^/\0]+$/);

/** Entries of a folder in an answer. */
export const mostFileEntries = 20_000;

export const filesOpen = request(
  'unimiss/files/open',
  'Finds a file or folder that the user named, and lets clients read it, and what is below it, until the daemon ends.',
  {
    params: z.strictObject({ path: path.describe('Absolute, or below the user’s home: `~/ct`, `ct`.') }),
    result: z.object({ path: z.string().describe('Absolute, without links.'), kind }),
  },
);

export const filesStat = request('unimiss/files/stat', 'Says what a file or folder is.', {
  params: z.strictObject({ path: path.describe('Absolute.') }),
  result: z.object({
    kind,
    size: z.int().min(0).describe('Bytes.'),
    modified: z.number().describe('Milliseconds since 1970.'),
    created: z.number().describe('Milliseconds since 1970.'),
  }),
});

export const filesList = request(
  'unimiss/files/list',
  'Lists a folder: regular files, folders, and links to these that stay inside what clients may read.',
  {
    params: z.strictObject({ path: path.describe('Absolute.') }),
    result: z.object({
      entries: z.array(z.object({ name: entryName, kind })).describe(`At most ${mostFileEntries}.`),
      more: z.boolean().describe('Whether there are more.'),
    }),
  },
);

export const filesRead = request('unimiss/files/read', 'Returns a piece of a file.', {
  params: z.strictObject({ path: path.describe('Absolute.'), offset: z.int().min(0).default(0) }),
  result: z.object({
    data: z.base64().describe(`At most ${largestFilePiece} bytes.`),
    size: z.int().min(0).describe('Bytes of the whole file.'),
  }),
});

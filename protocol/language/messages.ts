import { z } from 'zod';
import { notification, request } from '../daemon/rpc.ts';

/**
 * The methods of the Language Server Protocol (3.17) with which any editor gets help for `*.unimiss.jsonc` files. Only the fields
 * that the daemon reads are declared; answers are as in LSP. Positions count UTF-16 code units.
 */

/** Longest text of a configuration, UTF-16 code units. */
export const longestConfig = 1 << 20;

/** Whether the daemon helps with a file. */
export const isConfigUri = (uri: string) => uri.endsWith('.unimiss.jsonc');

const uri = z.string().max(8192);
const document = z.looseObject({ uri });
const position = z.looseObject({ line: z.int().min(0), character: z.int().min(0) });
const range = z.looseObject({ start: position, end: position });
const text = z.string().max(longestConfig);
const inDocument = z.looseObject({ textDocument: document });
const atPosition = z.looseObject({ textDocument: document, position });
const inRange = z.looseObject({ textDocument: document, range });
const asInLsp = z.unknown();
const list = z.array(z.looseObject({}));

export const didOpen = notification(
  'textDocument/didOpen',
  'client',
  'A file was opened. The daemon helps with files whose name ends with `.unimiss.jsonc`, and ignores others.',
  z.looseObject({ textDocument: z.looseObject({ uri, version: z.int(), text }) }),
);
export const didChange = notification(
  'textDocument/didChange',
  'client',
  'An open file was changed: the whole text, or ranges of it.',
  z.looseObject({
    textDocument: z.looseObject({ uri, version: z.int() }),
    contentChanges: z.array(z.looseObject({ range: range.optional(), text })),
  }),
);
export const didSave = notification(
  'textDocument/didSave',
  'client',
  'An open file was saved: the daemon looks at its images again.',
  inDocument,
);
export const didClose = notification('textDocument/didClose', 'client', 'A file was closed.', inDocument);

export const publishDiagnostics = notification(
  'textDocument/publishDiagnostics',
  'daemon',
  'Everything wrong with an open configuration, what looks wrong, and what is ignored in it.',
  z.object({ uri, version: z.int().optional(), diagnostics: list }),
);

export const completion = request(
  'textDocument/completion',
  'Returns fields with documentation, values, and names of files for fields that hold a path.',
  { params: atPosition, result: z.looseObject({ isIncomplete: z.boolean(), items: list }) },
);
export const hover = request(
  'textDocument/hover',
  'Returns the meaning of a field, its default, and the value that a run uses with where it comes from.',
  { params: atPosition, result: asInLsp },
);
export const codeAction = request('textDocument/codeAction', 'Returns quick fixes for problems in a range.', {
  params: inRange,
  result: list,
});
export const codeLens = request(
  'textDocument/codeLens',
  'Returns the actions above a configuration: start it, look at its images, and what a run would do.',
  { params: inDocument, result: list },
);
export const codeLensResolve = request(
  'codeLens/resolve',
  'Completes a lens: looks at the images and estimates time and memory on this machine.',
  { params: z.looseObject({ range, data: z.looseObject({ uri }).optional() }), result: z.looseObject({}) },
);
export const documentLink = request('textDocument/documentLink', 'Returns links to the files that fields name.', {
  params: inDocument,
  result: list,
});
export const inlayHint = request(
  'textDocument/inlayHint',
  'Returns the values that a run uses where they differ from what the file says.',
  { params: inRange, result: list },
);
export const executeCommand = request('workspace/executeCommand', 'Runs a command of a lens.', {
  params: z.looseObject({ command: z.string().max(200), arguments: z.array(z.unknown()).optional() }),
  result: asInLsp,
});

/** The `code` of diagnostics that any reader of JSON finds too: an editor whose JSON support reports them can leave them out. */
export const syntaxCode = 'json-syntax';

/** The command that looks at the images of an open configuration again. Its argument is the URI of the file. */
export const checkDataCommand = 'unimiss.checkData';
/** The command, to be run by the editor, that starts an open configuration. Its argument is the URI of the file. */
export const startCommand = 'unimiss.startConfiguration';

/** What the daemon declares in the handshake. */
export const languageCapabilities = {
  positionEncoding: 'utf-16',
  textDocumentSync: { openClose: true, change: 2, save: true },
  completionProvider: { triggerCharacters: ['"', ':', '/', ' '] },
  hoverProvider: true,
  codeActionProvider: { codeActionKinds: ['quickfix'] },
  codeLensProvider: { resolveProvider: true },
  documentLinkProvider: {},
  inlayHintProvider: true,
  executeCommandProvider: { commands: [checkDataCommand] },
} as const;

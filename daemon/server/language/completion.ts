import { getLocation } from 'jsonc-parser';
import {
  ClientCapabilities,
  type CompletionItem,
  CompletionItemKind,
  type CompletionList,
  getLanguageService,
  type JSONSchema,
  type LanguageService,
  type Position,
  type TextDocument,
} from 'vscode-json-languageservice';
import type { ConfigKind } from '../../../protocol/config/kind.ts';
import type { Analysis } from './analysis.ts';
import { type FieldSchema, fieldAt, holdsPath, schemaOf } from './fields.ts';
import { namesFor } from './paths.ts';

const services = new WeakMap<ConfigKind, LanguageService>();

/** VS Code's own JSON service, with the schema of one kind for every file. */
function serviceOf(kind: ConfigKind): LanguageService {
  let service = services.get(kind);
  if (!service) {
    service = getLanguageService({ clientCapabilities: ClientCapabilities.LATEST });
    const schema = schemaOf(kind) as JSONSchema;
    service.configure({
      validate: false,
      allowComments: true,
      schemas: [{ uri: `unimiss:${kind.task}`, fileMatch: ['*'], schema }],
    });
    services.set(kind, service);
  }
  return service;
}

/** Fields in the order of the schema, with documentation; values; names of files where a field holds a path. */
export async function complete(
  document: TextDocument,
  position: Position,
  analysis: Analysis,
): Promise<CompletionList> {
  const { text, kind, file } = analysis;
  const schema = schemaOf(kind);
  const offset = document.offsetAt(position);
  const { path, isAtPropertyKey, previousNode } = getLocation(text, offset);
  const field = isAtPropertyKey ? undefined : fieldAt(schema, path);
  if (field && holdsPath(field) && file !== undefined) {
    const items = await pathItems(document, offset, previousNode, file);
    return { isIncomplete: true, items };
  }
  const service = serviceOf(kind);
  const list = await service.doComplete(document, position, service.parseJSONDocument(document));
  const order = Object.keys(fieldAt(schema, path.slice(0, -1))?.properties ?? {});
  return { isIncomplete: false, items: (list?.items ?? []).map((item) => arranged(item, order, field)) };
}

/** Sorts fields as the schema does, by importance, and says of values what their field means. */
function arranged(item: CompletionItem, order: readonly string[], field: FieldSchema | undefined): CompletionItem {
  const place = order.indexOf(item.label);
  if (item.kind === CompletionItemKind.Property && place >= 0)
    return { ...item, sortText: String(place).padStart(4, '0') };
  if (item.documentation === undefined && field?.markdownDescription !== undefined)
    return { ...item, documentation: { kind: 'markdown', value: field.markdownDescription } };
  return item;
}

async function pathItems(
  document: TextDocument,
  offset: number,
  node: { type: string; offset: number; length: number } | undefined,
  file: string,
): Promise<CompletionItem[]> {
  const text = document.getText();
  const inside = node?.type === 'string' && offset > node.offset;
  const start = inside ? node.offset + 1 : offset;
  const written = text.slice(start, offset);
  const names = await namesFor(written, file);
  const last = start + written.lastIndexOf('/') + 1;
  const end = inside ? node.offset + node.length - (text[node.offset + node.length - 1] === '"' ? 1 : 0) : offset;
  const range = { start: document.positionAt(last), end: document.positionAt(Math.max(last, end)) };
  return names.map(({ name, folder }, index) => {
    const shown = `${name}${folder ? '/' : ''}`;
    const escaped = JSON.stringify(shown).slice(1, -1);
    return {
      label: shown,
      kind: folder ? CompletionItemKind.Folder : CompletionItemKind.File,
      sortText: String(index).padStart(4, '0'),
      filterText: escaped,
      textEdit: { range, newText: inside ? escaped : `"${escaped}"` },
    };
  });
}

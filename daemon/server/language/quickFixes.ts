import { applyEdits, findNodeAtLocation, findNodeAtOffset, modify, parseTree } from 'jsonc-parser';
import {
  type CodeAction,
  CodeActionKind,
  type Diagnostic,
  type Range,
  type TextDocument,
  type TextEdit,
} from 'vscode-json-languageservice';
import { z } from 'zod';
import { concernSchema, type Fix } from '../../../protocol/runs/forecast.ts';
import type { Analysis } from './analysis.ts';

/** What `diagnose` attaches to a diagnostic. */
const fixSchema = z.object({
  replacement: z.string().optional(),
  remove: z.boolean().optional(),
  fix: concernSchema.shape.fix,
});

/** Quick fixes for the problems that a range touches: the nearest valid value or name, values that settle it, or the removal of a field. */
export function quickFixes(
  document: TextDocument,
  range: Range,
  analysis: Analysis,
  diagnostics: readonly Diagnostic[],
): CodeAction[] {
  const uri = document.uri;
  return diagnostics
    .filter((one) => touches(one.range, range))
    .flatMap((diagnostic): CodeAction[] => {
      const fix = fixSchema.safeParse(diagnostic.data ?? {}).data ?? {};
      const action = (title: string, edit: TextEdit): CodeAction => ({
        title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [diagnostic],
        isPreferred: true,
        edit: { changes: { [uri]: [edit] } },
      });
      if (fix.replacement !== undefined)
        return [action(`Replace with ${fix.replacement}`, { range: diagnostic.range, newText: fix.replacement })];
      if (fix.fix) return [action(`Set ${fix.fix.map(changeText).join(', ')}`, changes(document, analysis, fix.fix))];
      if (!fix.remove) return [];
      const edit = removal(document, analysis, document.offsetAt(diagnostic.range.start));
      return edit ? [action('Remove this field', edit)] : [];
    });
}

function changeText({ field, value }: Fix[number]): string {
  return `${field} to ${JSON.stringify(value)}`;
}

/** The edit that gives fields new values; comments stay. */
function changes(document: TextDocument, { text }: Analysis, fix: Fix): TextEdit {
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' };
  const changed = fix.reduce((now, { field, value }) => {
    const path = field.split('.');
    const tree = parseTree(now);
    const node = tree && findNodeAtLocation(tree, path);
    // `modify` would lay out the object around a value anew.
    if (node) return now.slice(0, node.offset) + JSON.stringify(value) + now.slice(node.offset + node.length);
    return applyEdits(now, modify(now, path, value, { formattingOptions }));
  }, text);
  let start = 0;
  while (start < text.length && text[start] === changed[start]) start++;
  let rest = 0;
  while (rest < Math.min(text.length, changed.length) - start && text.at(-1 - rest) === changed.at(-1 - rest)) rest++;
  const range = { start: document.positionAt(start), end: document.positionAt(text.length - rest) };
  return { range, newText: changed.slice(start, changed.length - rest) };
}

/** The edit that removes the field whose value is at an offset, with one comma. */
function removal(document: TextDocument, { tree, text }: Analysis, offset: number): TextEdit | undefined {
  const property = tree && findNodeAtOffset(tree, offset)?.parent;
  const siblings = property?.parent?.children;
  if (property?.type !== 'property' || !siblings) return undefined;
  const at = siblings.indexOf(property);
  const [before, after] = [siblings[at - 1], siblings[at + 1]];
  let start = property.offset;
  let end = property.offset + property.length;
  if (after) end = after.offset;
  else {
    if (before) start = before.offset + before.length;
    const comma = /^\s*,/.exec(text.slice(end));
    if (comma && !before) end += comma[0].length;
  }
  return { range: { start: document.positionAt(start), end: document.positionAt(end) }, newText: '' };
}

function touches(a: Range, b: Range): boolean {
  const before = (x: Range, y: Range) =>
    x.end.line < y.start.line || (x.end.line === y.start.line && x.end.character < y.start.character);
  return !before(a, b) && !before(b, a);
}

import { findNodeAtOffset } from 'jsonc-parser';
import {
  type CodeAction,
  CodeActionKind,
  type Diagnostic,
  type Range,
  type TextDocument,
  type TextEdit,
} from 'vscode-json-languageservice';
import { z } from 'zod';
import type { Analysis } from './analysis.ts';

/** What `diagnose` attaches to a diagnostic. */
const fixSchema = z.object({ replacement: z.string().optional(), remove: z.boolean().optional() });

/** Quick fixes for the problems that a range touches: the nearest valid value or name, or the removal of an ignored field. */
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
      if (!fix.remove) return [];
      const edit = removal(document, analysis, document.offsetAt(diagnostic.range.start));
      return edit ? [action('Remove this field', edit)] : [];
    });
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

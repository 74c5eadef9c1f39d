import { type Diagnostic, DiagnosticSeverity, type Range, type TextDocument } from 'vscode-json-languageservice';
import { closest, type Problem } from '../../../protocol/config/parseConfig.ts';
import { syntaxCode } from '../../../protocol/language/messages.ts';
import type { Concern } from '../../../protocol/runs/forecast.ts';
import type { Analysis } from './analysis.ts';
import { schemaOf } from './fields.ts';
import { exists, pathNodes } from './paths.ts';

/** Everything wrong with a configuration, and what is ignored in it. Needs no images. */
export async function diagnose(document: TextDocument, analysis: Analysis): Promise<Diagnostic[]> {
  const { tree, kind, file, problems, notices } = analysis;
  const rangeOf = ({ offset, length }: Pick<Problem, 'offset' | 'length'>): Range => ({
    start: document.positionAt(offset),
    end: document.positionAt(offset + length),
  });
  const found: Diagnostic[] = [
    ...problems.map((problem) => ({
      range: rangeOf(problem),
      message: textOf(problem),
      severity: DiagnosticSeverity.Error,
      source,
      ...(problem.syntax && { code: syntaxCode }),
      ...(problem.replacement !== undefined && { data: { replacement: problem.replacement } }),
    })),
    ...notices.map((notice) => ({
      range: rangeOf(notice),
      message: notice.message,
      severity: DiagnosticSeverity.Information,
      source,
      data: { remove: true },
    })),
  ];
  if (file === undefined) return found;
  const paths = pathNodes(tree, schemaOf(kind), file).filter(({ field }) => field.at(-1) !== 'cache');
  const there = await Promise.all(paths.map(({ target }) => exists(target)));
  const missing = paths.filter((_, i) => !there[i]);
  return [
    ...found,
    ...missing.map(({ node, field, target }) => ({
      range: rangeOf(node),
      message: `${field.filter((key) => typeof key === 'string').join('.')}: ${target} does not exist\nRelative paths start at the folder of this file.`,
      severity: DiagnosticSeverity.Error,
      source,
    })),
  ];
}

const source = 'unimiss';

/** What a look at the images and the machine found, at the fields that the remedies change. Errors of paths are already shown. */
export function concernDiagnostics(
  document: TextDocument,
  { tree }: Analysis,
  concerns: readonly Concern[],
  shown: readonly Diagnostic[],
): Diagnostic[] {
  return concerns
    .map(({ severity, field, message, remedy, fix }) => {
      const node = tree && closest(tree, field === '' ? [] : field.split('.'));
      // A field that is absent is marked at the name of the part that it belongs to, not across all of that.
      const within = node?.type === 'object' ? (node.parent?.children?.[0] ?? node) : node;
      const start = within && node !== tree ? within.offset : 0;
      const end = within && node !== tree ? within.offset + within.length : 1;
      return {
        range: { start: document.positionAt(start), end: document.positionAt(end) },
        message: textOf({ field, message, remedy }),
        severity: severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
        source,
        ...(fix && { data: { fix } }),
      };
    })
    .filter(
      ({ range, severity }) =>
        severity !== DiagnosticSeverity.Error ||
        !shown.some((one) => one.severity === severity && one.range.start.line === range.start.line),
    );
}

function textOf({ field, message, remedy }: Pick<Problem, 'field' | 'message' | 'remedy'>): string {
  return `${field === '' ? '' : `${field}: `}${message}${remedy ? `\n${remedy}` : ''}`;
}

import { expect, it, vi } from 'vitest';
import { DiagnosticSeverity, type TextDocument } from 'vscode';

vi.mock('vscode', () => import('../../test/extension/vscode.ts'));
const { diagnose, errorsIn } = await import('./diagnostics.ts');

/** A document whose positions are offsets. */
const documentOf = (text: string) =>
  ({ getText: () => text, positionAt: (offset: number) => offset }) as never as TextDocument;

it('shows what is ignored in a configuration at its place, without preventing a start', () => {
  const text = '{ "data": { "paths": "ct" }, "engine": { "library": "/tmp/tf" } }';
  const document = documentOf(text);
  const start = text.indexOf('"/tmp/tf"');
  expect(diagnose(document)).toMatchObject([
    {
      severity: DiagnosticSeverity.Information,
      message: expect.stringMatching(/^`engine\.library` is ignored/),
      range: { start, end: start + '"/tmp/tf"'.length },
    },
  ]);
  expect(errorsIn(document)).toEqual([]);
});

it('shows a wrong value as an error beside it', () => {
  const document = documentOf('{ "data": { "paths": "ct" }, "engine": { "library": "/x" }, "train": { "epochs": 0 } }');
  expect(diagnose(document).map(({ severity }) => severity)).toEqual([
    DiagnosticSeverity.Error,
    DiagnosticSeverity.Information,
  ]);
  expect(errorsIn(document)).toMatchObject([{ message: expect.stringMatching(/^train\.epochs: /) }]);
});

import type { Range, TextDocument } from 'vscode-json-languageservice';
import { checkDataCommand, startCommand } from '../../../protocol/language/messages.ts';
import type { Forecast } from '../../../protocol/runs/forecast.ts';
import { forecastLine } from '../../../protocol/runs/forecastText.ts';
import type { Analysis } from './analysis.ts';

/** As in LSP; a lens without a command is completed by `codeLens/resolve`. */
export type CodeLens = {
  range: Range;
  command?: { title: string; command: string; arguments?: unknown[] };
  data?: { uri: string };
};

/** The actions above a configuration. One that cannot start offers none. */
export function codeLenses(document: TextDocument, { tree, resolved }: Analysis): CodeLens[] {
  if (!tree || !resolved) return [];
  const start = document.positionAt(tree.offset);
  const range = { start, end: start };
  const { uri } = document;
  return [
    { range, command: { title: '▶ Start', command: startCommand, arguments: [uri] } },
    { range, command: { title: 'Check Data', command: checkDataCommand, arguments: [uri] } },
    { range, data: { uri } },
  ];
}

/** What a lens says about a run: its images, steps, time and memory, or why that is unknown. */
export function forecastTitle(forecast: Forecast | { readonly failed: string }): string {
  return 'failed' in forecast ? forecast.failed : forecastLine(forecast);
}

import { existsSync, statSync } from 'node:fs';
import { commands, l10n, Position, Range, Uri, window } from 'vscode';
import { type ErrorCode, UnimissError } from '../protocol/errors.ts';
import { openFolder } from './openFolder.ts';

/** A button of an error's notification, which does what the error's text advises. */
export interface Remedy {
  title: string;
  run(): unknown;
}

const attached = new WeakMap<Error, readonly Remedy[]>();

/** The error with remedies that only the place knows where it was caught. They come first. */
export function withRemedies(error: unknown, remedies: readonly Remedy[]): unknown {
  if (error instanceof Error && remedies.length > 0) attached.set(error, remedies);
  return error;
}

/** The buttons of an error, at most 3. */
export function remediesOf(error: unknown): Remedy[] {
  if (!(error instanceof UnimissError)) return [];
  const own = attached.get(error) ?? [];
  const place = error.details.place === undefined ? undefined : placeRemedy(error.details.place);
  const all = [...own, ...(place ? [place] : []), ...general[error.code]];
  return all.filter(({ title }, i) => all.findIndex((other) => other.title === title) === i).slice(0, 3);
}

const byCommand = (title: string, command: string): Remedy => ({
  title,
  run: () => commands.executeCommand(command),
});

/** What helps with every error of a code. */
const general: Record<ErrorCode, readonly Remedy[]> = {
  config: [],
  data: [],
  engine: [
    byCommand(l10n.t('Install TensorFlow…'), 'unimiss.installEngine'),
    byCommand(l10n.t('Check Installation'), 'unimiss.engineDoctor'),
  ],
  checkpoint: [],
  run: [byCommand(l10n.t('Show Runs'), 'unimiss.runs.focus')],
  daemon: [byCommand(l10n.t('Reconnect'), 'unimiss.reconnect')],
  diverged: [],
  disk: [],
  interrupted: [],
  internal: [byCommand(l10n.t('Check Installation'), 'unimiss.engineDoctor')],
};

/** `file`, `file:3` or `file:3:14`, where the file exists. */
export interface Place {
  path: string;
  /** From 0. */
  line: number | undefined;
  column: number;
}

export function parsePlace(place: string, exists: (path: string) => boolean = existsSync): Place | undefined {
  if (!place.startsWith('/')) return undefined;
  if (exists(place)) return { path: place, line: undefined, column: 0 };
  const [, path = '', line, column] = /^(.+?):(\d+)(?::(\d+))?(?::.*)?$/.exec(place) ?? [];
  if (path === '' || !exists(path)) return undefined;
  return { path, line: Number(line) - 1, column: column === undefined ? 0 : Number(column) - 1 };
}

/** Files that the editor shows as text. */
const textFile = /\.(jsonc?|csv|tsv|txt|log|md|py|yaml|yml)$/i;

function placeRemedy(text: string): Remedy | undefined {
  const place = parsePlace(text);
  if (!place) return undefined;
  const { path, line, column } = place;
  if (statSync(path).isDirectory()) return { title: l10n.t('Show Folder'), run: () => openFolder(path) };
  const uri = Uri.file(path);
  if (line === undefined && !textFile.test(path))
    return { title: l10n.t('Open File'), run: () => commands.executeCommand('vscode.open', uri) };
  return {
    title: l10n.t('Open File'),
    run: () => {
      const at = new Position(line ?? 0, column);
      return window.showTextDocument(uri, { selection: new Range(at, at) });
    },
  };
}

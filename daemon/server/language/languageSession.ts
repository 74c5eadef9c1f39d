import { pathToFileURL } from 'node:url';
import { type Diagnostic, TextDocument } from 'vscode-json-languageservice';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import type { ConfigKind } from '../../../protocol/config/kind.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import {
  checkDataCommand,
  codeAction,
  codeLens,
  codeLensResolve,
  completion,
  didChange,
  didClose,
  didOpen,
  didSave,
  documentLink,
  executeCommand,
  hover,
  inlayHint,
  isConfigUri,
  longestConfig,
  publishDiagnostics,
} from '../../../protocol/language/messages.ts';
import type { Forecast } from '../../../protocol/runs/forecast.ts';
import type { ClientSession, Listener } from '../wire/clientSession.ts';
import { listener } from '../wire/clientSession.ts';
import { type Handler, handle } from '../wire/handler.ts';
import type { Send } from '../wire/subscription.ts';
import { type Analysis, analyse } from './analysis.ts';
import { complete } from './completion.ts';
import { concernDiagnostics, diagnose } from './diagnostics.ts';
import { schemaOf } from './fields.ts';
import { hoverAt } from './hover.ts';
import { inlayHints } from './inlayHints.ts';
import { codeLenses, forecastTitle } from './lenses.ts';
import { pathNodes } from './paths.ts';
import { quickFixes } from './quickFixes.ts';

export interface LanguageServices {
  readonly kinds: readonly ConfigKind[];
  /** What a run of a configuration would do. */
  forecast(config: ResolvedConfig, signal: AbortSignal): Promise<Forecast>;
}

/** How many files one client may keep open. */
const mostDocuments = 200;

/** Help for the configurations that one client has open, by LSP. */
export class LanguageSession implements ClientSession {
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly listeners: ReadonlyMap<string, Listener>;
  private readonly open = new Map<string, OpenConfig>();

  constructor(
    private readonly send: Send,
    private readonly services: LanguageServices,
  ) {
    const listeners = [
      listener(didOpen, ({ textDocument: { uri, version, text } }) => {
        if (!isConfigUri(uri) || (this.open.size >= mostDocuments && !this.open.has(uri))) return;
        this.replace(uri, TextDocument.create(uri, 'jsonc', version, text), true);
      }),
      listener(didChange, ({ textDocument: { uri, version }, contentChanges }) => {
        const opened = this.open.get(uri);
        if (!opened) return;
        const document = TextDocument.update(opened.document, contentChanges, version);
        if (document.getText().length > longestConfig) this.close(uri);
        else this.replace(uri, document, false);
      }),
      listener(didSave, ({ textDocument: { uri } }) => {
        this.open.get(uri)?.look();
      }),
      listener(didClose, ({ textDocument: { uri } }) => this.close(uri)),
    ];
    this.listeners = new Map(listeners.map((one) => [one.type.method, one]));
    const handlers = [
      handle(completion, ({ textDocument: { uri }, position }) => {
        const opened = this.open.get(uri);
        if (!opened) return { isIncomplete: false, items: [] };
        return complete(opened.document, position, opened.analysis).then((list) => ({
          ...list,
          items: [...list.items],
        }));
      }),
      handle(hover, ({ textDocument: { uri }, position }) => {
        const opened = this.open.get(uri);
        return opened ? hoverAt(opened.document, position, opened.analysis) : null;
      }),
      handle(codeAction, async ({ textDocument: { uri }, range }) => {
        const opened = this.open.get(uri);
        return opened ? [...quickFixes(opened.document, range, opened.analysis, await opened.allDiagnostics())] : [];
      }),
      handle(codeLens, ({ textDocument: { uri } }) => {
        const opened = this.open.get(uri);
        return opened ? [...codeLenses(opened.document, opened.analysis)] : [];
      }),
      handle(codeLensResolve, async (lens) => {
        const opened = lens.data && this.open.get(lens.data.uri);
        const forecast = opened && (await opened.forecast);
        return { ...lens, command: { title: forecast ? forecastTitle(forecast) : '', command: '' } };
      }),
      handle(documentLink, ({ textDocument: { uri } }) => {
        const opened = this.open.get(uri);
        return opened ? links(opened.document, opened.analysis) : [];
      }),
      handle(inlayHint, ({ textDocument: { uri }, range }) => {
        const opened = this.open.get(uri);
        return opened ? [...inlayHints(opened.document, range, opened.analysis)] : [];
      }),
      handle(executeCommand, async ({ command, arguments: given }) => {
        const uri = given?.[0];
        if (command !== checkDataCommand)
          throw new UnimissError('internal', `unknown command ${command}`, {
            remedy: `The daemon runs ${checkDataCommand}.`,
          });
        const opened = typeof uri === 'string' ? this.open.get(uri) : undefined;
        if (!opened)
          throw new UnimissError('config', 'this configuration is not open', { remedy: 'Open its file first.' });
        opened.look();
        const forecast = await opened.forecast;
        return forecast ? { text: forecastTitle(forecast) } : null;
      }),
    ];
    this.handlers = new Map(handlers.map((one) => [one.type.method, one]));
  }

  end(): void {
    for (const uri of [...this.open.keys()]) this.close(uri);
  }

  private replace(uri: string, document: TextDocument, first: boolean): void {
    const before = this.open.get(uri);
    const analysis = analyse(uri, document.getText(), this.services.kinds);
    const opened = new OpenConfig(document, analysis, this.services, this.send);
    this.open.set(uri, opened);
    if (first || !before) opened.look();
    else opened.keep(before);
    before?.end();
  }

  private close(uri: string): void {
    const opened = this.open.get(uri);
    if (!opened) return;
    opened.end();
    this.open.delete(uri);
    void this.send(publishDiagnostics, { uri, diagnostics: [] }).catch(() => {}); // the client is gone
  }
}

/** What a run would do, or why that is unknown; undefined if nobody wants to know any more. */
interface Look {
  readonly result: Promise<Forecast | { readonly failed: string } | undefined>;
  readonly abort: AbortController;
}

/** One version of an open configuration. */
class OpenConfig {
  readonly diagnostics: Promise<Diagnostic[]>;
  private current: Look | undefined;
  private concerns: readonly Diagnostic[] = [];
  private ended = false;

  constructor(
    readonly document: TextDocument,
    readonly analysis: Analysis,
    private readonly services: LanguageServices,
    private readonly send: Send,
  ) {
    this.diagnostics = diagnose(document, analysis);
  }

  /** Those of the file, and those of the images as far as they are known by now. */
  async allDiagnostics(): Promise<Diagnostic[]> {
    return [...(await this.diagnostics), ...this.concerns];
  }

  /** What the last look found. Undefined: the configuration is invalid. */
  get forecast(): Promise<Forecast | { readonly failed: string } | undefined> {
    return this.current?.result ?? Promise.resolve(undefined);
  }

  /** Looks at the images and the machine. */
  look(): void {
    this.current?.abort.abort();
    const { resolved } = this.analysis;
    const abort = new AbortController();
    this.current = resolved && {
      abort,
      result: this.services
        .forecast(resolved, abort.signal)
        .catch((error) => (abort.signal.aborted ? undefined : { failed: messageOf(error) })),
    };
    void this.publish();
  }

  /** Takes what an earlier version of the file found out, if both mean the same; else looks. */
  keep(before: OpenConfig): void {
    const same = JSON.stringify(before.analysis.resolved) === JSON.stringify(this.analysis.resolved);
    if (before.current && same) {
      this.current = before.current;
      before.current = undefined;
      void this.publish();
    } else this.look();
  }

  end(): void {
    this.ended = true;
    this.current?.abort.abort();
  }

  private async publish(): Promise<void> {
    const { current } = this;
    const { uri, version } = this.document;
    const diagnostics = await this.diagnostics;
    const tell = async (more: readonly Diagnostic[]) => {
      if (this.ended || current !== this.current) return;
      const all = [...diagnostics, ...more].map((one) => ({ ...one }));
      await this.send(publishDiagnostics, { uri, version, diagnostics: all });
    };
    try {
      await tell([]);
      const found = await current?.result;
      if (current !== this.current || !found || !('concerns' in found)) return;
      this.concerns = concernDiagnostics(this.document, this.analysis, found.concerns, diagnostics);
      await tell(this.concerns);
    } catch {
      // The client is gone.
    }
  }
}

function links(document: TextDocument, { tree, kind, file }: Analysis): { range: object; target: string }[] {
  if (file === undefined) return [];
  return pathNodes(tree, schemaOf(kind), file).map(({ node, target }) => ({
    range: {
      start: document.positionAt(node.offset + 1),
      end: document.positionAt(node.offset + node.length - 1),
    },
    target: pathToFileURL(target).href,
  }));
}

import {
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
} from '../../../protocol/language/messages.ts';
import type { ClientSession, Listener } from '../wire/clientSession.ts';
import type { Handler } from '../wire/handler.ts';
import type { Send } from '../wire/subscription.ts';
import type { LanguageServices, LanguageSession } from './languageSession.ts';

const requests = [completion, hover, codeAction, codeLens, codeLensResolve, documentLink, inlayHint, executeCommand];
const notifications = [didOpen, didChange, didSave, didClose];

/**
 * Help for the configurations of one client whose code is loaded with the first file that is opened: most clients, such as the
 * commands of the shell, never open one. Messages keep their order.
 */
export class LazyLanguageSession implements ClientSession {
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly listeners: ReadonlyMap<string, Listener>;
  /** Resolves when all notifications so far were heard. */
  private room: Promise<LanguageSession> | undefined;

  /** @param failed told of a notification that could not be heard */
  constructor(
    private readonly send: Send,
    private readonly services: LanguageServices,
    private readonly failed: (error: unknown) => void,
  ) {
    this.handlers = new Map(
      requests.map((type) => [
        type.method,
        {
          type,
          answer: async (params, context) => {
            const handler = (await this.load()).handlers.get(type.method);
            if (!handler) throw new Error(`no handler of ${type.method}: a defect`);
            return handler.answer(params, context);
          },
        } satisfies Handler,
      ]),
    );
    this.listeners = new Map(
      notifications.map((type) => [type.method, { type, hear: (params) => this.hear(type.method, params) }]),
    );
  }

  end(): void {
    this.room?.then((session) => session.end(), this.failed);
  }

  private load(): Promise<LanguageSession> {
    this.room ??= import('./languageSession.ts').then((module) => new module.LanguageSession(this.send, this.services));
    return this.room;
  }

  private hear(method: string, params: unknown): void {
    if (!this.room && (method !== didOpen.method || !opensConfig(params))) return;
    const heard = this.load().then((session) => {
      session.listeners.get(method)?.hear(params);
      return session;
    });
    const before = this.load();
    // One notification that cannot be heard does not end the others.
    this.room = heard.catch((error) => {
      this.failed(error);
      return before;
    });
  }
}

function opensConfig(params: unknown): boolean {
  const parsed = didOpen.params.safeParse(params);
  return parsed.success && isConfigUri(parsed.data.textDocument.uri);
}

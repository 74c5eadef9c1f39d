import {
  Diagnostic,
  DiagnosticSeverity,
  type Disposable,
  languages,
  Range,
  type TextDocument,
  workspace,
} from 'vscode';
import { checkConfig, type Problem } from '../../protocol/config/parseConfig.ts';

/** Suffix of configuration files. */
export const configSuffix = '.unimiss.jsonc';

export const isConfig = (document: TextDocument) => document.fileName.endsWith(configSuffix);

/** Shows what is wrong with open configurations, and what is ignored in them, while the user types, in the words of `unimiss pretrain`. */
export class ConfigDiagnostics implements Disposable {
  private readonly collection = languages.createDiagnosticCollection('unimiss');
  private readonly subscriptions: Disposable[];

  constructor() {
    this.subscriptions = [
      this.collection,
      workspace.onDidOpenTextDocument((document) => this.check(document)),
      workspace.onDidChangeTextDocument(({ document }) => this.check(document)),
      workspace.onDidCloseTextDocument(({ uri }) => this.collection.delete(uri)),
    ];
    for (const document of workspace.textDocuments) this.check(document);
  }

  dispose(): void {
    for (const one of this.subscriptions) one.dispose();
  }

  private check(document: TextDocument): void {
    if (isConfig(document)) this.collection.set(document.uri, diagnose(document));
  }
}

/**
 * Everything wrong with a configuration (errors), and what is ignored in it (information); the schema's own warnings come from
 * the editor's JSON support.
 */
export function diagnose(document: TextDocument): Diagnostic[] {
  const { problems, notices } = checkConfig(document.getText());
  const diagnostic = ({ offset, length }: Problem, text: string, severity: DiagnosticSeverity) => {
    const range = new Range(document.positionAt(offset), document.positionAt(offset + length));
    const made = new Diagnostic(range, text, severity);
    made.source = 'unimiss';
    return made;
  };
  return [
    ...problems.map((problem) => diagnostic(problem, textOf(problem), DiagnosticSeverity.Error)),
    ...notices.map((notice) => diagnostic(notice, notice.message, DiagnosticSeverity.Information)),
  ];
}

/** What prevents a start. */
export function errorsIn(document: TextDocument): Diagnostic[] {
  return diagnose(document).filter(({ severity }) => severity === DiagnosticSeverity.Error);
}

function textOf({ field, message, remedy }: Problem): string {
  return `${field === '' ? '' : `${field}: `}${message}${remedy ? `\n${remedy}` : ''}`;
}

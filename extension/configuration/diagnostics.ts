import { Diagnostic, type Disposable, languages, Range, type TextDocument, workspace } from 'vscode';
import { checkConfig } from '../../protocol/config/parseConfig.ts';

/** Suffix of configuration files. */
export const configSuffix = '.unimiss.jsonc';

export const isConfig = (document: TextDocument) => document.fileName.endsWith(configSuffix);

/** Shows what is wrong with open configurations while the user types, in the words of `unimiss pretrain`. */
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

/** Everything wrong with a configuration; the schema's own warnings come from the editor's JSON support. */
export function diagnose(document: TextDocument): Diagnostic[] {
  return checkConfig(document.getText()).problems.map(({ message, remedy, field, offset, length }) => {
    const range = new Range(document.positionAt(offset), document.positionAt(offset + length));
    const text = `${field === '' ? '' : `${field}: `}${message}${remedy ? `\n${remedy}` : ''}`;
    const diagnostic = new Diagnostic(range, text);
    diagnostic.source = 'unimiss';
    return diagnostic;
  });
}

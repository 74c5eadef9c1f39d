import { type Disposable, type TextDocumentContentProvider, workspace } from 'vscode';

/** Texts of a scheme, for which the editor may ask before any other use, such as for a link. */
export function textDoor(scheme: string, make: () => TextDocumentContentProvider): Disposable {
  return workspace.registerTextDocumentContentProvider(scheme, {
    provideTextDocumentContent: (uri, token) => make().provideTextDocumentContent(uri, token),
  });
}

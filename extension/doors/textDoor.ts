import { type Disposable, type TextDocumentContentProvider, workspace } from 'vscode';

/** Texts of a scheme, which none of our commands may have opened: the editor shows a tab of the last window again. */
export function textDoor(scheme: string, make: () => TextDocumentContentProvider): Disposable {
  return workspace.registerTextDocumentContentProvider(scheme, {
    provideTextDocumentContent: (uri, token) => make().provideTextDocumentContent(uri, token),
  });
}

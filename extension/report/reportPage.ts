import { UnimissError } from '../../protocol/errors.ts';
import { embeddedPlanesId } from '../../protocol/evaluation/planeLabels.ts';
import { embeddedMetricsId } from '../../protocol/metrics/page.ts';
import { readPageAssets, webviewPage } from '../webviewPage.ts';

/** The colours of the editor's theme for the report of an evaluation, which has colours of its own elsewhere. */
const editorColors = `
@media screen {
  :root, body {
    --text: var(--vscode-editor-foreground, var(--vscode-foreground));
    --muted: var(--vscode-descriptionForeground);
    --page: var(--vscode-editor-background);
    --card: var(--vscode-editorWidget-background);
    --border: var(--vscode-contrastBorder, var(--vscode-editorWidget-border));
    --accent: var(--vscode-textLink-foreground);
  }
  body.vscode-light { color-scheme: light; --warning: #8a4b00; --second: #b0562a; }
  body.vscode-dark { color-scheme: dark; --warning: #f0b429; --second: #e08a3c; }
  body.vscode-high-contrast { color-scheme: dark; --muted: var(--text); --warning: #ffd166; --second: #ffa657; }
  body.vscode-high-contrast-light { color-scheme: light; --muted: var(--text); --warning: #6b3a00; --second: #7a3a1c; }
}`;

/**
 * A report's file as the page of a webview. The file may come from someone else, so nothing in it runs: its content is shown with
 * script and style of this version, and the policy admits only these.
 * @param html the file's text
 * @param file its path; the page keeps it in its state, which restores the panel after a reload
 * @param cases ids of those that the viewer can show
 * @param webviews the folder of report.js, metrics.js and their styles
 * @throws UnimissError 'data' if the file is no report of ours
 */
export function reportPage(html: string, file: string, webviews: string, cases: readonly string[] = []): string {
  const content = /<body[^>]*>([\s\S]*)<\/body>/i.exec(html)?.[1] ?? '';
  const name = [[embeddedPlanesId, 'report'] as const, [embeddedMetricsId, 'metrics'] as const].find(([id]) =>
    content.includes(`id="${id}"`),
  )?.[1];
  if (name === undefined)
    throw new UnimissError('data', 'is not a report of UniMiSS', {
      place: file,
      remedy: 'Evaluate the run again: this writes a new report.',
    });
  const { script, style } = readPageAssets(webviews, name);
  return webviewPage(
    { script, style: name === 'report' ? `${style}${editorColors}` : style },
    {
      title: 'UniMiSS report',
      pictures: true,
      content: `${withoutScripts(content)}\n`,
      // The page's own code must not find the editor's interface: the report of a run then takes the data in the page.
      first: `const editor = acquireVsCodeApi(); editor.setState(${JSON.stringify({ file })}); delete globalThis.acquireVsCodeApi;
globalThis.unimissCases = { ids: ${JSON.stringify(cases).replaceAll('<', '\\u003c')}, open: (id) => editor.postMessage({ type: 'openCase', case: id }) };`,
    },
  );
}

/** Without the file's own code, which the policy would refuse with an error in the console. Data elements stay. */
function withoutScripts(content: string): string {
  return content.replace(/<script>[\s\S]*?<\/script>/gi, '');
}

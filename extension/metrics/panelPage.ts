import { randomBytes } from 'node:crypto';
import { Uri, type Webview } from 'vscode';

/**
 * The page around the metrics component. Nothing may be fetched or run but the component's own script (by its nonce) and
 * style sheet; pictures come as data.
 * @param runs folders of the runs; the page keeps them in its state, by which the panel is restored after a reload
 */
export function panelPage(webview: Webview, webviews: Uri, runs: readonly string[]): string {
  const nonce = randomBytes(24).toString('base64');
  const script = webview.asWebviewUri(Uri.joinPath(webviews, 'metrics.js'));
  const style = webview.asWebviewUri(Uri.joinPath(webviews, 'metrics.css'));
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <title>UniMiSS metrics</title>
  <link rel="stylesheet" href="${style}">
</head>
<body data-runs="${attribute(JSON.stringify(runs))}">
  <script nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}

function attribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

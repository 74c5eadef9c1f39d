import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scriptText, styleText } from '../protocol/inlineText.ts';
import { pagePolicy } from './pagePolicy.ts';

/** Script and style of a page, as text of their elements. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** A page's script and style, from the folder into which they were built. */
export function readPageAssets(folder: string, name: 'metrics' | 'report' | 'viewer' | 'volume'): PageAssets {
  const read = (end: string) => readFileSync(join(folder, `${name}.${end}`), 'utf8');
  return { script: scriptText(read('js')), style: styleText(read('css')) };
}

/**
 * The frame of a webview. Script and style are in it, because the editor needs longer to load them than the daemon to read a long run. The
 * page may fetch nothing and run only these (by their nonce).
 */
export function webviewPage(
  { script, style }: PageAssets,
  {
    title,
    pictures,
    data = {},
    content = '',
    first = '',
  }: {
    title: string;
    /** Whether it shows pictures, which arrive as data. */
    pictures: boolean;
    /** Attributes `data-*` of the body. */
    data?: Readonly<Record<string, string>>;
    /** Markup of the body before the script. */
    content?: string;
    /** Code that runs before the page is read. */
    first?: string;
  },
): string {
  const { nonce, policy } = pagePolicy({ pictures });
  const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${attribute(value)}"`);
  return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <title>${title}</title>
  <style nonce="${nonce}">${style}</style>${first && `\n  <script nonce="${nonce}">${scriptText(first)}</script>`}
</head>
<body${attributes.join('')}>
${content}  <script nonce="${nonce}">${script}</script>
</body>
</html>
`;
}

function attribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

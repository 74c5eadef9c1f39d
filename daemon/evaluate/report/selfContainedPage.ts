import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UnimissError } from '../../../protocol/errors.ts';
import { scriptText, styleText } from '../../../protocol/inlineText.ts';
import { escapeText } from './markup.ts';

export interface PageParts {
  title: string;
  script: string;
  style: string;
  /** Markup; all text in it is escaped. */
  body: string;
}

/** One HTML file with script and style in it. Its content security policy lets only these run, by their hashes. */
export function selfContainedPage({ title, script, style, body }: PageParts): string {
  const code = scriptText(script);
  const rules = styleText(style);
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(code)}`,
    `style-src ${hashSource(rules)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${rules}</style>
</head>
<body>
${body}
<script>${code}</script>
</body>
</html>
`;
}

/** JSON for the page's script, which cannot end its element. */
export function dataElement(id: string, data: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  return `<script type="application/json" id="${id}">${JSON.stringify(data, replacer).replace(/</g, '\\u003c')}</script>`;
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
}

/**
 * A page's script and style: from dist/webviews, beside the bundle (dist/daemon/main.js) or seen from this file; or below the bundle, on another
 * machine (machines/payload.ts).
 */
export async function readPageAssets(name: string, folder?: string): Promise<{ script: string; style: string }> {
  const near = ['./webviews/', '../webviews/', '../../../dist/webviews/'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const place = folder ?? near.find((path) => existsSync(join(path, `${name}.js`))) ?? near[0]!;
  try {
    const [script, style] = await Promise.all([
      readFile(join(place, `${name}.js`), 'utf8'),
      readFile(join(place, `${name}.css`), 'utf8'),
    ]);
    return { script, style };
  } catch (cause) {
    throw new UnimissError('internal', `Cannot read the script and style of the page (${name}.js, ${name}.css).`, {
      place,
      remedy: 'Build them with `npm run build`, or reinstall UniMiSS.',
      cause,
    });
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scriptText, styleText } from '../../protocol/inlineText.ts';
import { pagePolicy } from '../pagePolicy.ts';

/** Script and style of the page. */
export interface ViewerAssets {
  readonly script: string;
  readonly style: string;
}

export function readViewerAssets(folder: string): ViewerAssets {
  return {
    script: scriptText(readFileSync(join(folder, 'viewer.js'), 'utf8')),
    style: styleText(readFileSync(join(folder, 'viewer.css'), 'utf8')),
  };
}

/**
 * The page that draws planes. Script and style are in it, so that it needs no further loads; it may fetch nothing, and runs only these (by
 * their nonce). What it shows of a file arrives by messages, and becomes text and pixels, never markup.
 */
export function viewerPage({ script, style }: ViewerAssets): string {
  const { nonce, policy } = pagePolicy({ pictures: false });
  return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <title>UniMiSS Viewer</title>
  <style nonce="${nonce}">${style}</style>
</head>
<body>
  <script nonce="${nonce}">${script}</script>
</body>
</html>
`;
}

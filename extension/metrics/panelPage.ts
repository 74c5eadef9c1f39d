import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scriptText, styleText } from '../../protocol/inlineText.ts';
import { pagePolicy } from '../pagePolicy.ts';

/** The parts of the page. */
export interface PanelAssets {
  script: string;
  style: string;
}

/** The component's script and style, from the folder into which they were built. */
export function readPanelAssets(folder: string): PanelAssets {
  const [script, style] = ['metrics.js', 'metrics.css'].map((name) => readFileSync(join(folder, name), 'utf8'));
  return { script: scriptText(script!), style: styleText(style!) };
}

/**
 * The page around the metrics component. It contains script and style, because the editor needs longer to load them than the
 * daemon to read a long run. The page may fetch nothing and run only these (by their nonce); pictures arrive as data.
 * @param runs folders of the runs; the page keeps them in its state, which restores the panel after a reload
 */
export function panelPage({ script, style }: PanelAssets, runs: readonly string[]): string {
  const { nonce, policy } = pagePolicy({ pictures: true });
  return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <title>UniMiSS metrics</title>
  <style nonce="${nonce}">${style}</style>
</head>
<body data-runs="${attribute(JSON.stringify(runs))}">
  <script nonce="${nonce}">${script}</script>
</body>
</html>
`;
}

function attribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

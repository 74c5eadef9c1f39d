import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { embeddedPlanesId } from '../../protocol/evaluation/planeLabels.ts';
import { embeddedMetricsId } from '../../protocol/metrics/page.ts';
import { reportPage } from './reportPage.ts';

const webviews = mkdtempSync(join(tmpdir(), 'um-webviews-'));
for (const name of ['report', 'metrics'])
  for (const end of ['js', 'css']) writeFileSync(join(webviews, `${name}.${end}`), `/* ${name}.${end} */`);

const file = (body: string) =>
  `<!doctype html><html><head><meta http-equiv="Content-Security-Policy" content="script-src 'unsafe-inline'"><script>theirs()</script></head><body class="x">${body}</body></html>`;
const data = (id: string) => `<script type="application/json" id="${id}">[1]</script>`;

it('shows the content of a report with our script, style and policy, and without its own code', () => {
  const page = reportPage(
    file(`<h1>Evaluation</h1><script>theirs()</script>${data(embeddedPlanesId)}`),
    '/r.html',
    webviews,
  );
  expect(page).toContain('<h1>Evaluation</h1>');
  expect(page).toContain(data(embeddedPlanesId));
  expect(page).toContain('/* report.js */');
  expect(page).toContain('/* report.css */');
  expect(page).not.toContain('theirs');
  const policies = page.match(/Content-Security-Policy" content="[^"]*"/g);
  expect(policies).toHaveLength(1);
  const nonce = /script-src 'nonce-([^']+)'/.exec(policies![0])![1]!;
  expect(policies![0]).toContain("default-src 'none'");
  // Every script that may run bears the nonce; each page has a nonce of its own.
  const scripts = [...page.matchAll(/<script([^>]*)>/g)].map(([, attributes]) => attributes!);
  expect(scripts.filter((attributes) => !attributes.includes('application/json'))).toEqual([
    ` nonce="${nonce}"`,
    ` nonce="${nonce}"`,
  ]);
  expect(reportPage(file(data(embeddedPlanesId)), '/r.html', webviews)).not.toContain(nonce);
});

it('takes the page of the curves for the report of a run', () => {
  const page = reportPage(file(data(embeddedMetricsId)), '/run.html', webviews);
  expect(page).toContain('/* metrics.js */');
  expect(page).toContain('setState({"file":"/run.html"})');
});

it('tells the page which cases the viewer can show, as data', () => {
  const hostile = '</script><script>harm()</script>';
  const page = reportPage(file(data(embeddedPlanesId)), '/r.html', webviews, ['case 1', hostile]);
  expect(page).toContain('ids: ["case 1",');
  expect(page).not.toContain('<script>harm');
});

it('refuses what is no report', () => {
  expect(() => reportPage(file('<p>Hello</p>'), '/other.html', webviews)).toThrow(
    '/other.html: is not a report of UniMiSS',
  );
});

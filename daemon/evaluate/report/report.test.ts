import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metricsMessage } from '../../../protocol/metrics/page.ts';
import { seriesOf } from '../../../protocol/records/series.ts';
import { madeUpPreviews, madeUpRecords } from '../../../test/metrics/records.ts';
import { pngDataUri, reportPage, snapshotOf, writeReport } from './report.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unimiss-report-'));
});
afterAll(() => rm(folder, { recursive: true }));

const hostile = '</script><script>alert(1)</script><!-- & "quotes"';
const content = {
  title: hostile,
  summary: [{ label: hostile, value: '1' }],
  runs: [
    {
      id: 'a',
      name: hostile,
      state: 'finished' as const,
      records: madeUpRecords({ steps: 60, stepsPerEpoch: 10 }),
      series: seriesOf.pretrain,
      previews: madeUpPreviews([0], 10),
    },
  ],
};

/** The text of the page's script of a type. */
const scripts = (page: string) =>
  [...page.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)].map((m) => ({ attributes: m[1]!, text: m[2]! }));

describe('writeReport', () => {
  test('one file that names no other, whole, with nothing left beside it', async () => {
    const file = join(folder, 'report.html');
    await writeReport(file, content);
    expect(await readdir(folder)).toEqual(['report.html']);
    const page = await readFile(file, 'utf8');
    const found = scripts(page);
    expect(found.map((s) => s.attributes)).toEqual([' type="application/json" id="unimiss-metrics"', '']);
    const markup = found.reduce((rest, s) => rest.replace(s.text, () => ''), page);
    expect(markup.match(/(src|href)=|url\(|@import/g)).toBeNull();
    const data = JSON.parse(found[0]!.text);
    expect(metricsMessage.safeParse(data).success).toBe(true);
    expect(data.runs[0].name).toBe(hostile);
    expect(data.runs[0].steps.columns.loss).toHaveLength(60);
    expect(/<title>(.*?)<\/title>/.exec(page)![1]).toMatch(/^&lt;\/script&gt;&lt;script&gt;alert\(1\)/);
  });

  test('the policy admits the script and the style of the page by their hashes, and nothing else', async () => {
    const file = join(folder, 'policy.html');
    await writeReport(file, content);
    const page = await readFile(file, 'utf8');
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)![1]!;
    const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hash(scripts(page)[1]!.text)}`,
      `style-src ${hash(/<style>([\s\S]*?)<\/style>/.exec(page)![1]!)}`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ]);
  });

  test('a script that holds tags does not end its element', () => {
    const page = reportPage('t', 'const a = "</script><!--";', 'b::after { content: "</style>" }', snapshotOf(content));
    expect(scripts(page)[1]!.text).toBe('const a = "<\\/script><\\!--";');
    expect(page.match(/<\/style>/g)).toHaveLength(1);
  });

  test('long runs are down-sampled, with extremes', () => {
    const records = madeUpRecords({ steps: 5000, stepsPerEpoch: 100 });
    const { steps } = snapshotOf({ ...content, runs: [{ ...content.runs[0]!, records }], mostRows: 500 }).runs[0]!;
    expect(steps.columns.step!.length).toBeLessThanOrEqual(500);
    const largest = Math.max(...records.map((r) => (r.kind === 'step' ? r.values.gradientNorm! : 0)));
    expect(Math.max(...Array.from(steps.high!.gradientNorm as Float64Array))).toBe(largest);
  });

  test('a folder that is missing is made; one that cannot be is named', async () => {
    const file = join(folder, 'new', 'report.html');
    await writeReport(file, content);
    expect(await readFile(file, 'utf8')).toMatch(/<\/html>\n$/);
    await expect(writeReport(join(file, 'below-a-file', 'x.html'), content)).rejects.toThrow(/below-a-file/);
  });

  test.skipIf(process.getuid?.() === 0)('a folder without permission (skipped for root)', async () => {
    await chmod(folder, 0o500);
    try {
      await expect(writeReport(join(folder, 'no.html'), content)).rejects.toThrow(/permission/);
    } finally {
      await chmod(folder, 0o700);
    }
  });

  test('a script that was not built is named', async () => {
    await expect(writeReport(join(folder, 'x.html'), { ...content, assets: folder })).rejects.toThrow(
      /metrics\.js[\s\S]*npm run build/,
    );
  });
});

test('pngDataUri takes the bytes of a view into a larger buffer', () => {
  expect(pngDataUri(Uint8Array.of(0, 1, 2, 3).subarray(1, 3))).toBe('data:image/png;base64,AQI=');
});

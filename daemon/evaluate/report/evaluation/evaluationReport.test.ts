import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromRuns, toRuns, unknownLabel } from '../../../../protocol/evaluation/planeLabels.ts';
import { evaluateClassification } from '../../metrics/evaluateClassification.ts';
import { evaluateSegmentation } from '../../metrics/evaluateSegmentation.ts';
import { evaluationPage, writeEvaluationReport } from './evaluationReport.ts';
import { planePicture, worstAndBest } from './planePicture.ts';
import { roundAbove } from './segmentationSections.ts';
import { inPlainWords } from './words.ts';

const hostile = '</script><img src=x onerror=alert(1)>"\'&';
const segmented = () =>
  evaluateSegmentation(
    [0, 1, 2].map((n) => ({
      id: `${hostile}${n}`,
      patient: `${hostile}${n}`,
      shape: [1, 4],
      spacing: [1, 1],
      labels: {
        kind: 'map' as const,
        reference: Uint8Array.of(1, 1, 2, 0),
        prediction: Uint8Array.of(1, n > 0 ? 1 : 0, n > 1 ? 2 : 0, 0),
      },
    })),
    {
      name: hostile,
      split: hostile,
      classes: [1, 2].map((value) => ({ name: `${hostile}${value}`, values: [value] })),
      exclusions: [{ case: hostile, reason: hostile }],
      leakage: { state: 'found', checked: 3, cases: [hostile] },
      versions: { [hostile]: hostile },
      threads: 0,
      resamples: 50,
    },
  );

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unimiss-evaluation-report-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('report of a segmentation', () => {
  test('one file, in which every text is escaped', async () => {
    const evaluation = await segmented();
    const file = join(folder, 'new', 'report.html');
    const plane = planePicture({
      title: hostile,
      shape: [1, 1, 4],
      spacing: [1, 1, 1],
      image: [0, 1, 2, 3],
      reference: [1, 1, 2, 0],
      prediction: [1, 0, 0, 1],
    });
    await writeEvaluationReport(file, { evaluation, planes: [plane], configuration: hostile });
    expect(await readdir(join(folder, 'new'))).toEqual(['report.html']);
    const page = await readFile(file, 'utf8');
    expect(page).not.toContain('<img');
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script>/g)).toHaveLength(2);
    const markup = page.replace(/<script[\s\S]*?<\/script>/g, '').replace(/<style>[\s\S]*?<\/style>/g, '');
    expect(markup.match(/\s(src|href|style|on[a-z]+)="(?!#)/g)).toBeNull();
    expect(markup).toContain('Not for clinical use');
    expect(page).toMatch(/Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/);
  });

  test('plain words say what was found and how sure it is', async () => {
    const words = inPlainWords(await segmented());
    expect(words).toMatch(/^3 cases of 3 patients/);
    // Class 1: 2/3, 1, 1. Class 2: 0, 0, 1.
    expect(words).toMatch(/the Dice is 0\.611 \(95 % interval/);
    expect(words).toMatch(
      /Of 6 structures in the reference, 2 were not found at all; 0 were predicted where there are none/,
    );
    expect(words).toMatch(/From only 3 patients little can be concluded/);
    expect(words).toMatch(/pre-training has seen 1 of these cases/);
  });

  test('the means of all classes stand below those of each, and stay there; an axis ends at a short number', async () => {
    const page = evaluationPage({ evaluation: await segmented() }, { script: '', style: '' });
    expect(page.match(/<tfoot>.*?<\/tfoot>/gs)).toEqual([expect.stringMatching(/>All classes<.*>0\.611 </s)]);
    expect([0.0123, 1, 3, 7.4, 113.6, 410, 999].map(roundAbove)).toEqual([0.016, 1, 3.2, 8, 120, 600, 1000]);
  });

  test('worst and best cases are different ones', async () => {
    const evaluation = await segmented();
    expect(worstAndBest(evaluation, 2)).toEqual({ worst: [`${hostile}0`, `${hostile}1`], best: [`${hostile}2`] });
  });
});

test('report of a classification: curves, confusion, cases', () => {
  const cases = Array.from({ length: 20 }, (_, i) => {
    const p = ((i * 7) % 20) / 20;
    return { id: `case ${i}`, patient: `${i}`, probabilities: [1 - p, p], reference: [i % 2] };
  });
  const evaluation = evaluateClassification(cases, {
    name: 'run',
    split: 'test',
    classes: ['healthy', 'ill'],
    exclusive: true,
    resamples: 50,
  });
  const page = evaluationPage({ evaluation }, { script: '', style: '' });
  expect(page.match(/<svg viewBox="0 0 310/g)).toHaveLength(3);
  expect(page).toContain('Confusion matrix');
  expect(page.match(/<tr><th scope="row">case /g)).toHaveLength(20);
});

describe('planePicture', () => {
  test('takes the slice with most errors, cut to the labels', () => {
    const shape = [3, 40, 30] as const;
    const [reference, prediction] = [new Uint8Array(3600), new Uint8Array(3600)];
    reference[1200 + 20 * 30 + 10] = 1;
    reference[2400 + 20 * 30 + 10] = 1;
    prediction[2400 + 20 * 30 + 10] = 1;
    const plane = planePicture({ title: 't', shape, spacing: [3, 2, 1], image: reference, reference, prediction });
    expect(plane.description).toMatch(/Slice 2 of 3: 0 pixels right, 0 extra, 1 missed/);
    expect(plane.aspect).toBe(2);
    expect(plane.width).toBeLessThan(30);
    const labels = fromRuns(plane.reference, plane.width * plane.height);
    expect([...labels].filter((v) => v === 1)).toHaveLength(1);
    expect(Buffer.from(plane.grey, 'base64')).toHaveLength(plane.width * plane.height);
  });

  test('runs keep labels, and unknown ones', () => {
    const labels = [0, 0, 5, unknownLabel, unknownLabel, 1];
    expect([...fromRuns(toRuns(labels), labels.length)]).toEqual(labels);
  });
});

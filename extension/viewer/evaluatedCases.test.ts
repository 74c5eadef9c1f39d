import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { CaseTour } from './caseTour.ts';
import { casesOfReport } from './evaluatedCases.ts';

const folder = mkdtempSync(join(tmpdir(), 'um-cases-'));
afterAll(() => rmSync(folder, { recursive: true }));
const report = join(folder, 'report.html');
const write = (value: unknown) => writeFileSync(join(folder, 'viewer.json'), JSON.stringify(value));
const one = (id: string, dice: number | null, image = `/data/${id}.nii.gz`) => ({
  ...{ case: id, dice, image },
  labels: [{ class: null, reference: `/labels/${id}.nii.gz`, prediction: `/run/${id}.nii.gz` }],
});

it('the worst case comes first, and those without a Dice last', async () => {
  write({ format: 1, cases: [one('good', 0.9), one('none', null), one('bad', 0.1)] });
  const cases = await casesOfReport(report);
  expect(cases.map((found) => found.case)).toEqual(['bad', 'good', 'none']);
  const tour = new CaseTour('test-1', cases, 0);
  expect(tour.step(1)?.current?.case).toBe('good');
  expect(tour.step(-1)).toBeUndefined();
  expect(tour.step(1)?.step(1)?.step(1)).toBeUndefined();
});

it('paths that are not absolute, or lie on another machine, are left out', async () => {
  const far = [one('a', 0.1, 'x.nii.gz'), one('b', 0.2, '//host/share/x.nii.gz'), one('c', 0.3, '\\\\host\\x.nii.gz')];
  write({ format: 1, cases: [...far, one('d', 0.4)] });
  expect((await casesOfReport(report)).map((found) => found.case)).toEqual(['d']);
});

it('what is no list of cases has none', async () => {
  write({ format: 2, cases: [] });
  expect(await casesOfReport(report)).toEqual([]);
  writeFileSync(join(folder, 'viewer.json'), '{');
  expect(await casesOfReport(report)).toEqual([]);
  expect(await casesOfReport(join(folder, 'elsewhere', 'report.html'))).toEqual([]);
});

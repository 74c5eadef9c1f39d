import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { classificationEvaluation } from '../../protocol/evaluation/classification.ts';
import { runNames, temporaryFolder, unimiss } from './trainer.ts';

test('the demo goes from pre-training over a fine-tuning and its twin to a report of both, through the daemon', async () => {
  const own = temporaryFolder('demo');
  const { code, stdout, stderr } = await unimiss(own, ['demo', '--quick', '--json']);
  expect((await unimiss(own, ['daemon', 'stop', '--stop-runs'])).code).toBe(0);
  expect(code, stderr).toBe(0);
  expect(
    runNames(own)
      .map((name) => name.replace(/-[-\d]+$/, ''))
      .sort(),
  ).toEqual(['demo', 'demo-finetuned', 'demo-scratch']);
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const places = records.find((record) => 'report' in record);
  expect(existsSync(places.page)).toBe(true);
  expect(readFileSync(places.report, 'utf8')).toContain('Compared with demo-scratch');

  // What it prints is what the evaluations say.
  const evaluationOf = (name: string) => {
    const run = join(own, 'runs', runNames(own).find((one) => one.startsWith(name))!);
    const [folder] = readdirSync(join(run, 'evaluations'));
    return classificationEvaluation.parse(
      JSON.parse(readFileSync(join(run, 'evaluations', folder!, 'evaluation.json'), 'utf8')),
    );
  };
  const [finetuned, scratch] = [evaluationOf('demo-finetuned'), evaluationOf('demo-scratch')];
  expect(finetuned).toMatchObject({ split: 'test', leakage: { state: 'none', checked: 12 } });
  const factOf = (label: string) => records.find((record) => record.label === label);
  const share = (value: number) => `${(100 * value).toFixed(0)} %`;
  for (const [label, measured] of [['Fine-tuned', finetuned] as const, ['From scratch', scratch] as const]) {
    const { value, interval } = measured.metrics.accuracy!;
    const { low, high } = interval!;
    expect(factOf(label)).toMatchObject({
      value: share(value!),
      note: expect.stringContaining(`12 test images, `),
    });
    expect(factOf(label).note).toContain(`95 % interval ${share(low)}–${share(high)}`);
  }
  const tested = finetuned.comparison?.tests.find(({ metric }) => metric === 'accuracy');
  expect(tested?.pairs).toBe(12);
  expect(factOf('Difference').note).toBe(tested?.sentence);
}, 240_000);

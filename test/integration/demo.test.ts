import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { classificationEvaluation } from '../../protocol/evaluation/classification.ts';
import { modalities } from '../../protocol/modality.ts';
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
  ).toEqual(['demo', 'demo-2D', 'demo-2D-scratch']);
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(existsSync(records.find((record) => 'page' in record).page)).toBe(true);
  const factOf = (label: string) => records.find((record) => record.label === label);
  for (const modality of modalities)
    expect(factOf(`Probe ${modality}`).note).toMatch(
      /points, 95 % interval .* to .* points; .* with 2 labels a class on what fine-tuning reads, .* 95 % intervals .* → .*, chance 25 %/,
    );
  const modality = '2D';
  const { report } = records.find((record) => 'report' in record && record.modality === modality);
  expect(readFileSync(report, 'utf8')).toContain(`Compared with demo-${modality}-scratch`);
  // What it prints is what the evaluations say.
  const evaluationOf = (name: RegExp) => {
    const run = join(own, 'runs', runNames(own).find((one) => name.test(one))!);
    const [folder] = readdirSync(join(run, 'evaluations'));
    return classificationEvaluation.parse(
      JSON.parse(readFileSync(join(run, 'evaluations', folder!, 'evaluation.json'), 'utf8')),
    );
  };
  const finetuned = evaluationOf(new RegExp(`^demo-${modality}-\\d`));
  const scratch = evaluationOf(new RegExp(`^demo-${modality}-scratch`));
  expect(finetuned).toMatchObject({ split: 'test', leakage: { state: 'none', checked: 16 } });
  const share = (value: number) => `${(100 * value).toFixed(0)} %`;
  for (const [label, measured] of [
    [`Fine-tuned ${modality}`, finetuned] as const,
    [`From scratch ${modality}`, scratch] as const,
  ]) {
    const { value, interval } = measured.metrics.accuracy!;
    const { low, high } = interval!;
    expect(factOf(label)).toMatchObject({
      value: share(value!),
      note: expect.stringContaining(`16 test images, `),
    });
    expect(factOf(label).note).toContain(`95 % interval ${share(low)}–${share(high)}`);
  }
  const tested = finetuned.comparison?.tests.find(({ metric }) => metric === 'accuracy');
  expect(tested?.pairs).toBe(16);
  expect(factOf(`Difference ${modality}`).note).toMatch(/^95 % interval .* to .* points\. /);
  expect(factOf(`Difference ${modality}`).note).toContain(tested?.sentence);
}, 240_000);

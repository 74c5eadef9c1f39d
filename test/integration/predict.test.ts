import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { writeNifti } from '../../daemon/data/formats/niftiWriter.ts';
import { untrainedExport } from '../../daemon/runs/jobs/predict/network.fixtures.ts';
import { type PredictResult, predictResultSchema } from '../../protocol/jobs/predictMessages.ts';
import { Cli, temporaryFolder, unimiss } from './trainer.ts';

/** `unimiss predict` in processes of its own, with a network that has learned nothing: always the same labels. */
const own = temporaryFolder('predict');
const network = join(own, 'network');
const images = join(own, 'images');
const count = 8;

beforeAll(async () => {
  await untrainedExport(network);
  mkdirSync(images);
  for (let n = 0; n < count; n++) {
    const data = Int16Array.from({ length: 24 * 72 * 72 }, (_, i) => (i * (n + 3)) % 509);
    await writeNifti(join(images, `v${n}.nii.gz`), { shape: [24, 72, 72], spacing: [3, 1, 1], data });
  }
});

/** The last line of `--json`. */
function summaryOf(stdout: string): Omit<PredictResult, 'predicted'> & { predicted: number } {
  const { predicted, ...rest } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  return { ...predictResultSchema.omit({ predicted: true }).parse(rest), predicted };
}

const labelsIn = (out: string) =>
  readdirSync(out)
    .filter((name) => name.endsWith('.nii.gz'))
    .map((name) => [name, readFileSync(join(out, name)).toString('base64')]);
const linesIn = (out: string) => {
  const file = join(out, 'predicted.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
};

test('a folder that is killed in the middle goes on, and ends as one that was not', async () => {
  const whole = join(own, 'whole');
  const undisturbed = await unimiss(own, ['--json', 'predict', network, images, '-o', whole, '--foreground']);
  expect(undisturbed.code, undisturbed.stderr).toBe(0);
  expect(labelsIn(whole)).toHaveLength(count);

  const out = join(own, 'killed');
  const args = ['--json', 'predict', network, images, '-o', out, '--foreground'];
  const killed = new Cli(own, args);
  await vi.waitUntil(() => linesIn(out) >= 2, { timeout: 120_000, interval: 5 });
  killed.kill('SIGKILL');
  expect(await killed.finished).toMatchObject({ code: null, signal: 'SIGKILL' });
  const before = linesIn(out);
  expect(before).toBeLessThan(count);

  const resumed = await unimiss(own, args);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(summaryOf(resumed.stdout)).toMatchObject({ skipped: before, predicted: count - before, failed: [] });
  expect(labelsIn(out)).toEqual(labelsIn(whole));
  expect(readdirSync(out).filter((name) => name.startsWith('.'))).toEqual([]);
}, 240_000);

test('the daemon keeps the network loaded: the next image starts at once', async () => {
  const call = async (image: string, ...more: string[]) => {
    const args = ['--json', 'predict', network, join(images, image), '-o', join(own, 'kept'), ...more];
    const { code, stdout, stderr } = await unimiss(own, args);
    expect(code, stderr).toBe(0);
    return summaryOf(stdout);
  };
  try {
    const first = await call('v0.nii.gz');
    const second = await call('v1.nii.gz');
    const anew = await call('v2.nii.gz', '--folds', network);
    expect(second.loadSeconds).toBeLessThan(first.loadSeconds / 5);
    expect(anew.loadSeconds).toBeGreaterThan(5 * second.loadSeconds);
    expect(labelsIn(join(own, 'kept'))).toEqual(labelsIn(join(own, 'whole')).slice(0, 3));
  } finally {
    await unimiss(own, ['daemon', 'stop']);
  }
}, 240_000);
